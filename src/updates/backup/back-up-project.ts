import { afterGoodBackup } from '../../backups/set-notices';
import { folderOf, holdsMembers } from '../../backups/backup-set';
import { readManifest } from '../../backups/manifest';
import { takeBackup } from '../../backups/take-backup';
import { canChangeData } from '../../backups/writers';
import { readContainers } from '../../containers/read-containers';
import type { Deps } from '../../deps';
import {
  type BackupPlace,
  type BackupRecord,
  isServer,
  membersOf,
  backupPlaceOf,
  samePlace,
} from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { messageOf } from '../../domain/errors';
import { formatBytes, formatTime, plural } from '../../domain/format';
import type { Update } from '../../domain/update';
import type { Progress } from '../../lib/logger';
import { thoseRunning } from '../../restores/those-that-ran';
import { fingerprintBefore } from '../fingerprint/data-change';
import { checkpoint, type Run, Skipped } from '../run';
import { quiesce } from './quiesce';
import { startedByOthers } from './stopped-containers';

/** What is updated, and how what writes to its set is stopped. */
export interface SetOfUpdate {
  target: Container;
  all: readonly Container[];
  members: readonly Container[];
  /** Resolves with the members as they can be read now, and whether all that are known to write were stopped. */
  quiesce(): Promise<{ quiesced: boolean; members: Container[] }>;
  stillQuiesced(): Promise<boolean>;
  /** Names of those that were stopped. */
  stopped(): string[];
}

/**
 * Backs up the whole set of the container's project, verified, with all that write to it stopped where the container
 * holds data, then reads what the update can change; rejects when the backup fails: no backup, no update.
 */
export async function backUpProject(run: Run, progress: Progress): Promise<string | Skipped> {
  const { container } = run;
  const all = await readContainers(run.engine, run.selfId);
  const members = membersOf(backupPlaceOf(container), all);
  if (members.length === 0) {
    const where = container.project === null ? container.name : `the project ${container.project}`;
    return new Skipped(`No container of ${where} has the label backup.kind, so nothing is backed up.`);
  }
  const servers = members.filter((member) => isServer(member) && member.id !== run.old.Id);
  if (servers.length > 0) checkpoint(run, 'preparing', { servers: thoseRunning(true, servers) });
  const { detail, fresh } = await backUpSet(
    run,
    {
      ...{ target: container, all, members },
      quiesce: async () => ({ quiesced: await quiesce(run, progress), members }),
      stillQuiesced: async () => (await startedByOthers(run)).length === 0,
      stopped: () => run.journal.stopped.map(({ name }) => name),
    },
    progress,
  );
  if (!fresh) return detail;
  const fingerprint = await fingerprintBefore(run, container, members, progress);
  if (fingerprint !== null) checkpoint(run, 'preparing', { fingerprint });
  return detail;
}

/**
 * Takes the backup that precedes an update, of a container or a service, or uses the last one again where the target cannot
 * change the data of its set: then it is not `fresh`, and there is nothing to compare after the update either.
 */
export async function backUpSet(
  run: Deps & { update: Update },
  set: SetOfUpdate,
  progress: Progress,
): Promise<{ detail: string; fresh: boolean }> {
  const { store, update } = run;
  const place = backupPlaceOf(set.target);
  const reused = await reusableBackup(run, place, set);
  if (reused !== null) {
    run.update = store.updates.change(update.id, { backupId: reused.id });
    return { detail: usedAgain(set.target, reused), fresh: false };
  }
  const { quiesced, members } = await set.quiesce();
  const record = store.backups.insert({ ...place, reason: 'update', updateId: update.id });
  const onSucceeded = (good: BackupRecord): void => afterGoodBackup(run, good);
  const request = { record, members, quiesced, stillQuiesced: () => set.stillQuiesced() };
  const taken = await takeBackup({ ...run, onProgress: progress, onSucceeded }, request);
  run.update = store.updates.change(update.id, { backupId: taken.id });
  const stopped = set.stopped();
  const how = taken.quiesced
    ? stopped.length === 0
      ? ', with no writer running'
      : `, with ${stopped.join(', ')} stopped`
    : quiesced
      ? ', though a container that writes to it was started externally'
      : '';
  const detail = `${plural(taken.items.length, 'item')}, ${formatBytes(taken.bytes ?? 0)}${how}, read back and verified: ${taken.url}`;
  return { detail, fresh: true };
}

function usedAgain({ name }: Container, { id, startedAt, url }: BackupRecord): string {
  return `The verified backup ${id} from ${formatTime(startedAt ?? '')} is used again, because ${name} cannot change the data of its set: ${url}`;
}

/**
 * The verified backup that an update of a container which cannot change the data of its set may use instead of one of its
 * own (docs/backups.md): at most `backupReuseMs` old, of every member that the set has now, and still in the storage
 * as this diun-pilot wrote it. Null: there is none, or the container can change data.
 */
async function reusableBackup(
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
