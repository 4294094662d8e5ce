import { samePlace, type BackupPlace } from '../../domain/backups/backup-place';
import { folderOf, holdsMembers } from '../../backups/backup-set';
import { readManifest } from '../../backups/manifest';
import { canChangeData } from '../../backups/writers';
import type { Deps } from '../../deps';
import type { BackupRecord } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { messageOf } from '../../domain/errors';
import type { Update } from '../../domain/update';

/**
 * The verified backup that an update of a container which cannot change the data of its set may use instead of one of its
 * own (contract, section 4): at most `backupReuseMs` old, of every member that the set has now, and still in the storage
 * as this diun-pilot wrote it. Null: there is none, or the container can change data.
 */
export async function reusableBackup(
  run: Deps & { update: Update },
  place: BackupPlace,
  { target, members, all }: { target: Container; members: readonly Container[]; all: readonly Container[] },
): Promise<BackupRecord | null> {
  if (run.backupReuseMs === 0 || canChangeData(target, all)) return null;
  const last = run.store.backups.lastSucceeded(place);
  if (last === null || !samePlace(last, place) || !isYoung(last, run) || !holdsMembers(last, members)) return null;
  return (await isStored(last, run)) ? last : null;
}

/** Counted from the start of the reading: later writes are not in it. A clock that was set back makes it too old. */
function isYoung({ startedAt, verifiedAt }: BackupRecord, { clock, backupReuseMs }: Deps): boolean {
  if (startedAt === null || verifiedAt === null) return false;
  const age = clock.now().getTime() - Date.parse(startedAt);
  return age >= 0 && age <= backupReuseMs;
}

async function isStored(record: BackupRecord, run: Deps & { update: Update }): Promise<boolean> {
  const { id } = record;
  const folder = folderOf(record);
  if (folder === null) return false;
  try {
    const { manifest, distrust } = await readManifest(run.storage, folder, run.approvalSecrets);
    return manifest.id === id && distrust === null;
  } catch (error) {
    run.logger.warn('the last backup cannot be used again, so a new one is taken', {
      ...{ update: run.update.id, backup: id, reason: messageOf(error) },
    });
    return false;
  }
}
