import { capitalised, formatBytes, formatDuration, formatTime } from '../../../domain/format';
import type { Surroundings } from '../../../domain/approval';
import { diskProblem } from '../../../domain/disk/df';
import type { Plan } from '../../../domain/plan/plan';
import { paragraph, section, type Block } from '../../letter/letter';

/** What past updates and backups show about a plan, the same in mail and page. `when` formats a time. */
export function surroundingsPassage(surroundings: Surroundings, plan: Plan, when = formatTime): Block[] {
  return [
    ...section('What will be unavailable', paragraph(absence(surroundings, plan))),
    ...disk(surroundings),
    ...section('The last verified backup', paragraph(lastBackup(surroundings, plan, when))),
  ];
}

/** Without backticks: mail and page mark commands on their own. */
function disk({ disk: free }: Surroundings): Block[] {
  const words = typeof free === 'number' ? diskProblem(free)?.replaceAll('`', '') : undefined;
  return words === undefined ? [] : section('The disk', paragraph(`${capitalised(words)}.`));
}

/** The expected downtime, from past updates. The plan's own sentence about it is the first of its risks. */
function absence({ usualDowntimeSeconds: seconds }: Surroundings, { kind, container }: Plan): string {
  if (seconds === null) {
    return `diun-pilot has not updated ${container} before, so the downtime is not known yet.`;
  }
  const span = seconds < 1 ? 'less than a second' : `about ${formatDuration(seconds * 1000)}`;
  const old = kind === 'service' ? 'old tasks until the new ones were' : 'old container until the new one was';
  return `In past updates ${container} was offline for ${span}, from the stop of the ${old} healthy.`;
}

function lastBackup(
  { lastBackup: last }: Surroundings,
  { kind, backup, project, container }: Plan,
  when: typeof formatTime,
): string {
  const [what, member] = kind === 'service' ? ['stack', 'service'] : ['project', 'container'];
  const of = project === null ? container : `the ${what} ${project}`;
  if (last === null) {
    return backup.length === 0
      ? `There is none: no ${member} of ${of} has a backup.kind label.`
      : `There is none of ${of} yet. One is taken before anything is changed.`;
  }
  const read = last.verifiedAt === null ? 'not read back' : 'read back to its end';
  const size = last.bytes === null ? '' : `${formatBytes(last.bytes)}, `;
  return `${when(last.finishedAt ?? last.createdAt)}, ${size}${read}.`;
}
