import { backupSets, keyOfPlace, placeOf, scopeName, serversIn } from '../../backups/backup-set';
import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import type { BackupRecord } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import type { WorkOutcome } from '../../domain/due-work';
import type { Store } from '../../ports/store';

/** Asks for a drill of the newest good backup of each set that is there and holds databases. Answers these backups. */
export function requestDrills(
  { backups, transaction }: Pick<Store, 'backups' | 'transaction'>,
  containers: readonly Container[],
): BackupRecord[] {
  const newest = backupSets(containers)
    .map(({ place }) => backups.lastSucceeded(place))
    .filter((record): record is BackupRecord => record !== null && serversIn(record.items).length > 0);
  transaction(() => {
    for (const { id } of newest) backups.askDrill(id);
  });
  return newest;
}

/** The weekly drills. Of a set that is there no longer nothing is drilled, and a failed drill is troubling no more. */
export async function queueDrills({ engine, selfId, store }: Deps): Promise<WorkOutcome> {
  const containers = await readContainers(engine, selfId);
  const sets = requestDrills(store, containers).map(scopeName).join(', ');
  const there = new Set(containers.map((container) => keyOfPlace(placeOf(container))));
  for (const { kind, subject } of store.notices.all())
    if (kind === 'drill_failed' && !there.has(subject)) store.notices.close(kind, subject);
  return { outcome: sets === '' ? 'No good backup holds a database.' : `Requested: ${sets}.`, trouble: null };
}
