import type { JSX } from 'preact';
import { formatMinute, plural } from '../../../domain/format';
import { CHECK_NAMES } from '../../health/health-report';
import { ago } from '../words';
import { problemsOf } from './attention';
import type { OperatorData } from './operator-data';

/** The first line of the page: whether the operator is needed at all; then how things stand. */
export function State(data: OperatorData): JSX.Element {
  const needed = neededFor(data);
  return (
    <>
      <h1>{needed.length === 0 ? `All well: ${standing(data).slice(0, 2).join(', ')}` : needed.join(', ')}</h1>
      <p class="small">{[...standing(data).slice(needed.length === 0 ? 2 : 0), ...checks(data)].join(' · ')}</p>
    </>
  );
}

/** `2 updates need your decision`; empty: nothing needs the operator. */
function neededFor(data: OperatorData): string[] {
  const decisions = data.waiting.length;
  const problems = problemsOf(data);
  return [
    ...(decisions === 0 ? [] : [`${plural(decisions, 'update')} ${decisions === 1 ? 'needs' : 'need'} your decision`]),
    ...(problems === 0 ? [] : [`${plural(problems, 'problem')} ${problems === 1 ? 'needs' : 'need'} attention`]),
  ];
}

function standing({ containers, pastBackups, working, now }: OperatorData): string[] {
  const watched = containers?.filter(({ container }) => container.labels.watched).length;
  const good = pastBackups.flatMap(({ status, finishedAt }) => (status === 'succeeded' ? [finishedAt] : []));
  const last = good.sort().at(-1);
  return [
    watched === undefined ? 'the containers are not known' : `${plural(watched, 'container')} watched`,
    last === undefined ? 'no backup yet' : `last backup ${formatMinute(last)} (${ago(last, now)})`,
    working.length === 0 ? 'no update in progress' : `${plural(working.length, 'update')} in progress`,
  ];
}

function checks(data: OperatorData): string[] {
  return problemsOf(data) === 0 ? [`All checks passed: ${CHECK_NAMES.join(', ')}`] : [];
}
