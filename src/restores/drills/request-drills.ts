import { backupSets } from '../../backups/backup-set';
import { serversIn } from '../../backups/dumped-servers';
import type { BackupRecord } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
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
