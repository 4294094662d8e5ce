import { membersOf, placeOf, samePlace } from '../domain/backups/backup-place';
import { afterGoodBackup } from '../backups/after-good-backup';
import { holdsMembers } from '../backups/backup-set';
import { takeBackup } from '../backups/take-backup';
import type { BackupRecord } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { NotTried } from '../domain/backups/drill';
import { intervalMs } from '../lib/due-times';
import type { RehearsalRun } from './rehearsal-run';

/** The set whose copy a rehearsal uses, and whether it was taken for it. */
export interface ChosenSet {
  record: BackupRecord;
  live: boolean;
}

/** One missed backup does not require another one. */
const INTERVALS = 1.5;

/**
 * The newest verified backup of the container's set, if it is young enough and of all members; else a live one, for which
 * no container is stopped. Null: nothing of the set is backed up. Rejects with `NotTried` when the backup fails.
 */
export async function chooseSet(
  run: RehearsalRun,
  container: Container,
  all: readonly Container[],
): Promise<ChosenSet | null> {
  const place = placeOf(container);
  const members = membersOf(place, all);
  if (members.length === 0) return null;
  const last = run.store.backups.lastSucceeded(place);
  if (last !== null && samePlace(last, place) && isYoung(run, last) && holdsMembers(last, members))
    return { record: last, live: false };
  run.onProgress('taking a live backup');
  const record = run.store.backups.insert({ ...place, reason: 'update', updateId: run.update.id });
  const onSucceeded = (good: BackupRecord): void => afterGoodBackup(run, good);
  try {
    const taken = await takeBackup({ ...run, onSucceeded }, { record, members, quiesced: false });
    return { record: taken, live: true };
  } catch (error) {
    rethrowEngineLost(error);
    throw new NotTried(`No backup of its set is young enough, and a live one failed: ${messageOf(error)}`);
  }
}

/** Counted from the start of the reading. Without a schedule every rehearsal takes a backup. */
function isYoung({ store, clock }: RehearsalRun, { startedAt }: BackupRecord): boolean {
  const schedule = store.timers.get('backup')?.schedule ?? null;
  if (schedule === null || startedAt === null) return false;
  const age = clock.now().getTime() - Date.parse(startedAt);
  return age >= 0 && age <= INTERVALS * intervalMs(schedule, clock.now());
}
