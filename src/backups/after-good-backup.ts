import { samePlace, keyOfPlace, scopeName } from '../domain/backups/backup-place';
import type { Deps } from '../deps';
import type { BackupRecord } from '../domain/backups/backup';
import { backupShrunk } from '../notifications/mails/backups';
import { postMail } from '../notifications/post-mail';
import { serversIn } from './backup-set';

const REMEMBERED_MS = 3 * 24 * 3_600_000;

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
