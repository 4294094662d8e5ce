import type { BackupRecord } from '../domain/backup';
import { isOpen } from '../domain/update';
import type { Store } from '../ports/store';

const DAY_MS = 86_400_000;
/** What an update broke is often seen days later; a rollback that failed waits for its person. */
const AFTER_UPDATE_MS = 3 * DAY_MS;
const AFTER_FAILED_ROLLBACK_MS = 30 * DAY_MS;

/** Why a backup must stay although no rule of retention keeps it, in words; null: nobody may need it. */
export function whyNeeded({ updates }: Pick<Store, 'updates'>, { updateId }: BackupRecord, now: Date): string | null {
  const update = updateId === null ? null : updates.get(updateId);
  if (update === null) return null;
  const name = update.container ?? 'a container';
  if (isOpen(update.status)) return `the update of ${name} that it was taken for is not ended`;
  const since = now.getTime() - Date.parse(update.finishedAt ?? update.createdAt);
  if (update.status === 'rollback_failed' && since < AFTER_FAILED_ROLLBACK_MS)
    return `the rollback of ${name} that may need it failed less than 30 days ago`;
  return since < AFTER_UPDATE_MS ? `the update of ${name} that it was taken for ended less than 3 days ago` : null;
}
