import { keyOfPlace, scopeName, placeOf } from '../../backups/backup-set';
import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import type { WorkOutcome } from '../../domain/due-work';
import { requestDrills } from './request-drills';

/** The weekly drills. Of a set that is there no longer nothing is drilled, and a failed drill is troubling no more. */
export async function queueDrills({ engine, selfId, store }: Deps): Promise<WorkOutcome> {
  const containers = await readContainers(engine, selfId);
  const sets = requestDrills(store, containers).map(scopeName).join(', ');
  const there = new Set(containers.map((container) => keyOfPlace(placeOf(container))));
  for (const { kind, subject } of store.notices.all())
    if (kind === 'drill_failed' && !there.has(subject)) store.notices.close(kind, subject);
  return { outcome: sets === '' ? 'No good backup holds a database.' : `Requested: ${sets}.`, trouble: null };
}
