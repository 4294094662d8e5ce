import type { Surroundings } from '../../domain/approval';
import type { Plan } from '../../domain/plan/plan';
import { paragraph, section, type Block } from '../letter/letter';
import { bytes, duration, utc } from '../letter/words';

/** What past updates and backups tell of a plan: mail and page say the same. `when` puts a time into words. */
export function surroundingsPassage(surroundings: Surroundings, plan: Plan, when = utc): Block[] {
  return [
    ...section('What will be unavailable', paragraph(absence(surroundings, plan))),
    ...section('The last verified backup', paragraph(lastBackup(surroundings, plan, when))),
  ];
}

/** What its users will miss, by what past updates took. The plan's own sentence on it is the first of its risks. */
function absence({ usualDowntimeSeconds: seconds }: Surroundings, { container }: Plan): string {
  if (seconds === null) {
    return `${container} has not been updated by diun-pilot before, so how long it will be away is not known yet.`;
  }
  const span = seconds < 1 ? 'less than a second' : `about ${duration(seconds * 1000)}`;
  return `In past updates ${container} was away for ${span}, from the stop of the old container to the health of the new one.`;
}

function lastBackup(
  { lastBackup: last }: Surroundings,
  { backup, project, container }: Plan,
  when: typeof utc,
): string {
  const of = project === null ? container : `the project ${project}`;
  if (last === null) {
    return backup.length === 0
      ? `There is none: nothing of ${of} is marked to be backed up.`
      : `There is none of ${of} yet; one is taken before anything is changed.`;
  }
  const read = last.verifiedAt === null ? 'not read back' : 'read back to its end';
  const size = last.bytes === null ? '' : `${bytes(last.bytes)}, `;
  return `${when(last.finishedAt ?? last.createdAt)}, ${size}${read}.`;
}
