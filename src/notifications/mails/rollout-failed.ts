import type { Update } from '../../domain/update';
import { splitDetail } from '../letter/clean';
import { machineSaid, paragraph, section, type Block } from '../letter/letter';
import { shellCommand } from '../letter/shell';
import type { FailureText } from './passages/failure-text';
import { nameOf } from './passages/passages';
import { isUnhealthyAsBefore } from './unhealthy-as-before';

/** The end of a service's update that did not succeed: Swarm replaced its tasks, and no container was kept or started again. */
export function serviceFailed(update: Update): FailureText {
  if (update.status === 'failed') return unchanged(update);
  if (isUnhealthyAsBefore(update)) return asBefore(update);
  return update.status === 'rolled_back' ? rolledBack(update) : manualAction(update);
}

/** Swarm runs the old version again, and its health says nothing: there is nothing to bring back. */
function asBefore(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update failed, health check was already failing – please check',
    tone: 'alarm',
    word: 'Unhealthy, as before',
    heading: `The service ${name} fails its health check with its old version, as it did before the update`,
    opening: [
      {
        type: 'important',
        text: `The tasks of ${name} run the old version again, but diun-pilot cannot tell whether it works. Please check it.`,
      },
      paragraph(splitDetail(update.error?.message ?? update.reason).sentence),
      ...section(
        'If it works',
        paragraph(
          'The health check is wrong. Fix the label update.probe (or the healthcheck) in the stack file, and deploy it.',
        ),
      ),
      ...section('If it does not work', look(name)),
      paragraph('It was already unhealthy before the update, so the cause may be unrelated.'),
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function look(name: string): Block {
  return {
    type: 'commands',
    lines: [
      shellCommand('docker', 'service', 'ps', '--no-trunc', name),
      shellCommand('docker', 'service', 'logs', '--tail', '100', name),
    ],
  };
}

function unchanged(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: 'update failed, nothing was changed – nothing urgent',
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of the service ${name} failed before anything was changed`,
    opening: [paragraph(`The tasks of ${name} were not touched. Nothing is urgent.`)],
    labels: { from: 'Still running', to: 'Planned version' },
  };
}

function rolledBack(update: Update): FailureText {
  const check = update.steps.find(({ name, status }) => name === 'rollback_health_check' && status === 'succeeded');
  const verified = check?.detail
    ? [paragraph(`Verified after the rollback: ${splitDetail(check.detail).sentence}`)]
    : [];
  return {
    subject: 'rolled back – nothing urgent, the old version is running',
    tone: 'attention',
    word: 'Rolled back',
    heading: `The service ${nameOf(update)} is running its old version again`,
    opening: [
      paragraph(
        'The new version did not work, so Swarm rolled the service back to its previous spec. Nothing is urgent.',
      ),
      ...verified,
    ],
    labels: { from: 'Running again', to: 'Failed version' },
  };
}

function manualAction(update: Update): FailureText {
  const name = nameOf(update);
  const changed = update.error?.code === 'changed_meanwhile';
  return {
    subject: changed
      ? 'changed by another client during its update – manual action required'
      : 'update and rollback failed – manual action required',
    tone: 'alarm',
    word: 'Manual action required',
    heading: changed
      ? `The service ${name} was changed by another client during its update`
      : `The service ${name} is not running its old version in a healthy state`,
    opening: [
      {
        type: 'important',
        text: changed
          ? `Manual action required: diun-pilot does not undo the change of the other client. Check that ${name} works.`
          : `Manual action required: diun-pilot cannot repair ${name} automatically.`,
      },
      ...trouble(update),
      ...section('Look at it first', look(name)),
      ...(changed ? [] : section('Then bring it back', { type: 'commands', lines: back(update) })),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}

function trouble(update: Update): Block[] {
  const step = update.steps.findLast(({ name, status }) => status === 'failed' && name.startsWith('rollback'));
  if (!step?.detail) return [];
  const { sentence, output } = splitDetail(step.detail);
  return [paragraph(`Result for the old version: ${sentence}`), ...machineSaid(output)];
}

function back({ from, container }: Update): string[] {
  if (from === null) return [];
  const image = from.digest === null ? from.reference : `${from.reference}@${from.digest}`;
  return [shellCommand('docker', 'service', 'update', '--image', image, container ?? '')];
}
