import { samePlace, type BackupPlace } from '../domain/backups/backup-place';
import { formatTime } from '../domain/format';
import { readTargets } from '../services/read-targets';
import type { Deps } from '../deps';
import type { BackupRecord } from '../domain/backups/backup';
import type { WorkOutcome } from '../domain/due-work';
import { intervalMs } from '../lib/due-times';
import { backupOld } from '../notifications/mails/backups/backup-notices';
import { postMail } from '../notifications/post-mail';
import { backupSets, keyOfPlace, scopeName } from './backup-set';

/** A day and a half: one missed daily backup is a notice. Of a rarer schedule, one and a half times its interval. */
const OLDEST_MS = 36 * 3_600_000;
const LOOK_BACK = 500;

/** Reports, once, every set whose last good backup is too old, or that never had one since the first attempt. */
export async function lookAtBackupAges(deps: Deps): Promise<WorkOutcome> {
  const sets = backupSets(await readTargets(deps));
  const limitMs = longestBackupAge(deps);
  const old = sets.filter(({ place }) => isTooOld(deps, place, limitMs));
  deps.store.transaction(() => {
    for (const { place } of old) tell(deps, place);
    const subjects = old.map(({ place }) => keyOfPlace(place));
    for (const { kind, subject } of deps.store.notices.all()) {
      if (kind === 'backup_old' && !subjects.includes(subject)) deps.store.notices.close(kind, subject);
    }
  });
  const names = old.map(({ place }) => scopeName(place)).join(', ');
  return { outcome: names === '' ? 'No backup is overdue.' : `Too old: ${names}.`, trouble: null };
}

/** How old the last good backup of a set may be; endless, where none is taken by a timer. */
export function longestBackupAge({ store, clock }: Pick<Deps, 'store' | 'clock'>): number {
  const schedule = store.timers.get('backup')?.schedule ?? null;
  return schedule === null ? Infinity : Math.max(OLDEST_MS, 1.5 * intervalMs(schedule, clock.now()));
}

function isTooOld({ store, clock }: Pick<Deps, 'clock' | 'store'>, place: BackupPlace, limitMs: number): boolean {
  const good = lastGood({ store, clock }, place);
  const firstAttempt = store.backups.list(LOOK_BACK).findLast((record) => samePlace(record, place));
  const since = good?.startedAt ?? firstAttempt?.createdAt;
  return since !== undefined && clock.now().getTime() - Date.parse(since) > limitMs;
}

function tell(
  { store, clock, publicUrl, logger }: Pick<Deps, 'clock' | 'logger' | 'publicUrl' | 'store'>,
  place: BackupPlace,
): void {
  const about = scopeName(place);
  const good = lastGood({ store, clock }, place);
  const words =
    good === null
      ? `no backup of ${about} has succeeded yet`
      : `the last good backup of ${about} was taken at ${formatTime(good.startedAt ?? good.createdAt)}`;
  if (!store.notices.open('backup_old', keyOfPlace(place), words)) return;
  logger.warn('a backup is missing', { set: about, reason: words });
  postMail(store.outbox, backupOld({ about, lastGood: good, publicUrl }));
}

/** Not one of a time that is still to come: a clock was ahead, and it would be the newest until then. */
function lastGood({ store, clock }: Pick<Deps, 'clock' | 'store'>, place: BackupPlace): BackupRecord | null {
  const now = clock.now().toISOString();
  return store.backups.good().find((record) => samePlace(record, place) && record.createdAt <= now) ?? null;
}
