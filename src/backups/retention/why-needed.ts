import { formatTime } from '../../domain/format';
import type { BackupRecord } from '../../domain/backups/backup';
import { isOpen, type Update } from '../../domain/update';
import type { Store } from '../../ports/store';

const DAY_MS = 86_400_000;
/** What an update broke is often seen days later; a rollback that failed waits for its person. */
const AFTER_UPDATE_MS = 3 * DAY_MS;
const AFTER_FAILED_ROLLBACK_MS = 30 * DAY_MS;

type Known = Pick<Store, 'updates' | 'restores' | 'soaks'>;

/**
 * Why a backup must stay although no rule of retention keeps it, as text; null: it is not needed. `approvalTtlMs`: how
 * long the link of a failed rollback's mail offers to restore it.
 */
export function whyNeeded(known: Known, record: BackupRecord, now: Date, approvalTtlMs: number): string | null {
  const restore = openRestoreOf(known, record);
  if (restore !== null) return restore;
  const update = record.updateId === null ? null : known.updates.get(record.updateId);
  return update === null ? null : neededByUpdate(known, update, now, approvalTtlMs);
}

/** For a requested restore that has not ended; null: there is none. */
export function openRestoreOf({ restores }: Pick<Store, 'restores'>, { id }: BackupRecord): string | null {
  const asked = restores.open().find(({ backupId }) => backupId === id);
  if (asked === undefined) return null;
  return `its restore, requested at ${formatTime(asked.createdAt)}, has not ended`;
}

function neededByUpdate({ restores, soaks }: Known, update: Update, now: Date, approvalTtlMs: number): string | null {
  const name = update.container ?? 'a container';
  if (isOpen(update.status)) return `the update of ${name} that it was taken for is not ended`;
  if ((soaks.of(update.id)?.status ?? 'ended') !== 'ended') return `the soak of ${name} is not over`;
  const since = now.getTime() - Date.parse(update.finishedAt ?? update.createdAt);
  if (update.status === 'rollback_failed') {
    if (since < AFTER_FAILED_ROLLBACK_MS)
      return `the rollback of ${name} that may need it failed less than 30 days ago`;
    if (since < approvalTtlMs && restores.ofUpdate(update.id).length === 0)
      return `the link to restore it after the failed rollback of ${name} is still open`;
  }
  return since < AFTER_UPDATE_MS ? `the update of ${name} that it was taken for ended less than 3 days ago` : null;
}
