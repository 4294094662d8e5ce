import { type BackupRecord, scopeName } from '../domain/backups/backup';
import type { RestoreRecord } from '../domain/backups/restore';
import { formatTime } from '../domain/format';
import type { PastUpdate, Update } from '../domain/update';
import type { Store } from '../ports/store';
import { folderOf } from './backup-set';

const MOST_UPDATES = 50;

/**
 * The newest restore that put data over that of this backup's set since the update ended, or will; null: there is none. Without a
 * backup, one that was requested by the update's link.
 */
export function restoredSince(
  { restores }: Pick<Store, 'restores'>,
  update: Update,
  backup: BackupRecord | null,
): RestoreRecord | null {
  const own = backup === null ? null : placeIn(folderOf(backup));
  const isOfSet = ({ target, folder }: RestoreRecord): boolean =>
    backup !== null && (target === null ? placeIn(folder) === own : target === scopeName(backup));
  return restores.since(update).find((each) => each.updateId === update.id || isOfSet(each)) ?? null;
}

/** The later update after which a version of the container was healthy; null: there is none. */
export function repairedSince({ updates }: Pick<Store, 'updates'>, update: Update): PastUpdate | null {
  if (update.container === null) return null;
  const later = updates
    .past({ container: update.container, limit: MOST_UPDATES })
    .filter(({ finishedAt }) => finishedAt > (update.finishedAt ?? ''));
  return later.find(({ status }) => status === 'succeeded' || status === 'rolled_back') ?? null;
}

/** As a sentence. */
export function howRepaired({ container, reference, status, finishedAt }: PastUpdate): string {
  const ended = status === 'succeeded' ? 'succeeded' : 'was rolled back, and its old version was healthy';
  return `A later update of ${container}, to ${reference}, ${ended} (${formatTime(finishedAt)}).`;
}

/** The first part of the key of a set is its place. */
function placeIn(folder: string | null): string | null {
  return folder?.split('/')[0] ?? null;
}
