import type { Deps } from '../deps';
import {
  type BackupPlace,
  type BackupRecord,
  keyOfPlace,
  samePlace,
  scopeName,
  takenAt,
} from '../domain/backups/backup';
import type { WorkOutcome } from '../domain/due-work';
import { DAY_MS, formatTime, HOUR_MS } from '../domain/format';
import { nextDue } from '../lib/due-times';
import { backupOld, backupShrunk } from '../notifications/mails/backups';
import { postMail } from '../notifications/post-mail';
import type { NoticeKind } from '../ports/timers';
import { readTargets } from '../services/read-targets';
import { backupSets, serversIn } from './backup-set';

/** A day and a half: one missed daily backup is a notice. Of a rarer schedule, one and a half times its interval. */
const OLDEST_MS = 36 * HOUR_MS;
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
    for (const place of old) reportMissingBackup(deps, place);
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

function reportMissingBackup(
  { store, publicUrl, logger }: Pick<Deps, 'logger' | 'publicUrl' | 'store'>,
  place: BackupPlace,
): void {
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

const REMEMBERED_MS = 3 * DAY_MS;

/**
 * The consequences of a verified backup, in the transaction that records it: retention is due, the notice about an old
 * backup closes, a set that failed its last drill is drilled at once, and a set that shrank to less than half of the one
 * before is reported once.
 */
export function afterGoodBackup(
  deps: Pick<Deps, 'clock' | 'logger' | 'publicUrl' | 'store'>,
  backup: BackupRecord,
): void {
  const { store, clock, publicUrl } = deps;
  const subject = keyOfPlace(backup);
  store.timers.ring('retention', clock.now().toISOString());
  store.notices.close('backup_old', subject);
  const drillFailed = store.notices.all().some((each) => each.kind === 'drill_failed' && each.subject === subject);
  if (drillFailed && serversIn(backup.items).length > 0) store.backups.askDrill(backup.id);
  const before = store.backups.good().find((record) => record.id !== backup.id && isComparable(record, backup));
  if (before === undefined || !isSuspicious(backup, before)) return forgetShrinking(deps, subject);
  const about = scopeName(backup);
  const words = `the backup of ${about} shrank to less than half of the one before`;
  deps.logger.warn('a backup shrank', { backup: backup.id, bytes: backup.bytes, before: before.bytes });
  if (store.notices.open('backup_shrunk', subject, words))
    postMail(store.outbox, backupShrunk({ about, backup, before, publicUrl }));
}

/** While it is remembered, retention removes nothing of the set, so that a person has days to look. */
function forgetShrinking({ store, clock }: Pick<Deps, 'clock' | 'store'>, subject: string): void {
  const notice = store.notices.all().find((each) => each.kind === 'backup_shrunk' && each.subject === subject);
  if (notice !== undefined && clock.now().getTime() - Date.parse(notice.since) > REMEMBERED_MS)
    store.notices.close('backup_shrunk', subject);
}

/** A restic repository has plain objects, the other storages have compressed ones: a set that moved between them did not shrink. */
function isComparable(a: BackupRecord, b: BackupRecord): boolean {
  return samePlace(a, b) && a.items[0]?.compression === b.items[0]?.compression;
}

function isSuspicious(backup: BackupRecord, before: BackupRecord): boolean {
  return (backup.bytes ?? 0) * 2 < (before.bytes ?? 0);
}
