import { keyOfPlace, samePlace, scopeName, type BackupPlace } from '../domain/backups/backup-place';
import { takenAt } from '../domain/backups/backup';
import { formatTime } from '../domain/format';
import { readTargets } from '../services/read-targets';
import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { nextDue } from '../lib/due-times';
import { backupOld } from '../notifications/mails/backups';
import { postMail } from '../notifications/post-mail';
import type { NoticeKind } from '../ports/timers';
import { backupSets } from './backup-set';

/** A day and a half: one missed daily backup is a notice. Of a rarer schedule, one and a half times its interval. */
const OLDEST_MS = 36 * 3_600_000;
const LOOK_BACK = 500;

/**
 * Reports, once, every set whose last good backup is too old, or that never had one since the first attempt. What was reported about a
 * set that no longer exists is over: no backup of it will come that could end it.
 */
export async function lookAtBackupAges(deps: Deps): Promise<WorkOutcome> {
  const { store } = deps;
  const places = backupSets(await readTargets(deps)).map(({ place }) => place);
  const old = places.filter((place) => isTooOld(deps, place));
  const isSet = new Set(places.map(keyOfPlace));
  store.transaction(() => {
    for (const place of old) tell(deps, place);
    closeUnless(deps, 'backup_old', new Set(old.map(keyOfPlace)));
    closeUnless(deps, 'backup_shrunk', isSet);
    noteGone(deps, isSet);
  });
  const names = old.map(scopeName).join(', ');
  return { outcome: names === '' ? 'No backup is overdue.' : `Too old: ${names}.`, trouble: null };
}

function closeUnless({ store }: Pick<Deps, 'store'>, kind: NoticeKind, subjects: ReadonlySet<string>): void {
  for (const notice of store.notices.all())
    if (notice.kind === kind && !subjects.has(notice.subject)) store.notices.close(kind, notice.subject);
}

/** No later backup of such a set can end the report of a failed one. */
function noteGone({ store }: Pick<Deps, 'store'>, isSet: ReadonlySet<string>): void {
  const gone = store.backups.list(LOOK_BACK).filter((record) => !isSet.has(keyOfPlace(record)));
  closeUnless({ store }, 'set_gone', new Set(gone.map(keyOfPlace)));
  for (const record of gone)
    store.notices.open('set_gone', keyOfPlace(record), `${scopeName(record)} no longer has data to back up`);
}

/**
 * How old a backup of this time (ISO 8601) may be, in milliseconds: a schedule with gaps, as of weekdays, has missed no run in them.
 * Endless, where no timer takes backups.
 */
export function longestBackupAge({ store }: Pick<Deps, 'store'>, taken: string): number {
  const schedule = store.timers.get('backup')?.schedule ?? null;
  if (schedule === null) return Infinity;
  const at = new Date(taken);
  return Math.max(OLDEST_MS, 1.5 * (nextDue(schedule, at).getTime() - at.getTime()));
}

function isTooOld({ store, clock }: Pick<Deps, 'clock' | 'store'>, place: BackupPlace): boolean {
  const good = store.backups.lastSucceeded(place);
  const firstAttempt = store.backups.list(LOOK_BACK).findLast((record) => samePlace(record, place));
  const since = good === null ? firstAttempt?.createdAt : takenAt(good);
  return since !== undefined && clock.now().getTime() - Date.parse(since) > longestBackupAge({ store }, since);
}

function tell({ store, publicUrl, logger }: Pick<Deps, 'logger' | 'publicUrl' | 'store'>, place: BackupPlace): void {
  const about = scopeName(place);
  const good = store.backups.lastSucceeded(place);
  const words =
    good === null
      ? `no backup of ${about} has succeeded yet`
      : `the last good backup of ${about} was taken at ${formatTime(takenAt(good))}`;
  if (!store.notices.open('backup_old', keyOfPlace(place), words)) return;
  logger.warn('a backup is missing', { set: about, reason: words });
  postMail(store.outbox, backupOld({ about, lastGood: good, publicUrl }));
}
