import { formatBytes, plural } from '../../domain/format';
import { afterGoodBackup } from '../../backups/after-good-backup';
import { membersOf, placeOf } from '../../backups/backup-set';
import { takeBackup } from '../../backups/take-backup';
import { isServer } from '../../backups/writers';
import { readContainers } from '../../containers/read-containers';
import type { BackupRecord } from '../../domain/backups/backup';
import type { Progress } from '../../lib/logger';
import { formatTime } from '../../domain/format';
import { thoseRunning } from '../../restores/those-that-ran';
import { rememberFingerprint } from '../fingerprint/data-change';
import { quiesce } from './quiesce';
import { reusableBackup } from './reuse-backup';
import type { Run } from '../run';
import { checkpoint, Skipped } from '../run';
import { startedByOthers } from './stopped-containers';

/**
 * Backs up the whole set of the container's project, verified, with all that write to it stopped where the container
 * holds data, then reads what the update can change; rejects when the backup fails: no backup, no update.
 */
export async function backUpProject(run: Run, progress: Progress): Promise<string | Skipped> {
  const { store, container, update } = run;
  const place = placeOf(container);
  const all = await readContainers(run.engine, run.selfId);
  const members = membersOf(place, all);
  if (members.length === 0) {
    const where = container.project === null ? container.name : `project ${container.project}`;
    return new Skipped(`Nothing of ${where} carries the label backup.kind, so there is nothing to back up.`);
  }
  const servers = members.filter((member) => isServer(member) && member.id !== run.old.Id);
  if (servers.length > 0) checkpoint(run, 'preparing', { servers: thoseRunning(true, servers) });
  const reused = await reusableBackup(run, place, members, all);
  if (reused !== null) return useAgain(run, reused);
  const quiesced = await quiesce(run, progress);
  const record = store.backups.insert({
    ...place,
    reason: 'update',
    updateId: update.id,
  });
  const onSucceeded = (good: BackupRecord): void => afterGoodBackup(run, good);
  const stillQuiesced = async (): Promise<boolean> => (await startedByOthers(run)).length === 0;
  const request = { record, members, quiesced, stillQuiesced };
  const taken = await takeBackup({ ...run, onProgress: progress, onSucceeded }, request);
  run.update = store.updates.change(update.id, { backupId: taken.id });
  await rememberFingerprint(run, members, progress);
  const how = taken.quiesced
    ? `, with ${namesOf(run)} stopped`
    : quiesced
      ? ', though a container that was stopped for it was started externally'
      : '';
  return `${plural(taken.items.length, 'item')}, ${formatBytes(taken.bytes ?? 0)}${how}, read back and verified: ${taken.url}`;
}

/** The container cannot change the data of the set, so there is nothing to compare after the update either. */
function useAgain(run: Run, { id, startedAt, url }: BackupRecord): string {
  run.update = run.store.updates.change(run.update.id, { backupId: id });
  const name = run.container.name;
  return `The verified backup ${id} from ${formatTime(startedAt ?? '')} is used again, because ${name} cannot change the data of its set: ${url}`;
}

function namesOf({ journal }: Run): string {
  return journal.stopped.length === 0 ? 'nobody to be' : journal.stopped.map(({ name }) => name).join(', ');
}
