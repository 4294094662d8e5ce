import type { BackupItem } from '../../../src/domain/backups/backup';
import type { Failure } from '../../../src/domain/errors';
import { backupFailed, backupOld, backupShrunk, drillFailed } from '../../../src/notifications/mails/backups';
import { mailReader } from '../../support/mail-reader';
import { aBackup } from '../../support/news-builder';

const { bothSay } = mailReader();

describe('notices of backups', () => {
  const publicUrl = 'https://pilot.example.org';
  const item = (name: string, bytes: number): BackupItem => ({
    ...{
      container: 'web-db-1',
      image: { reference: 'postgres:16', imageId: 'sha256:1' },
      kind: 'database',
      name,
      bytes,
    },
    ...{ key: name, sha256: 'f'.repeat(64), compression: 'none', verified: 'read' },
  });

  it('name the last good one that is too old, or raise the alarm when there is none', async () => {
    const old = backupOld({ about: 'web', lastGood: aBackup(), publicUrl });
    expect(old.subject).toBe('[diun-pilot] web: the last good backup is from 2026-11-23 – please check');
    await bothSay(
      old,
      aBackup().id,
      'web: no successful backup since 2026-11-23',
      'there is no recent backup. diun-pilot sends this mail only once.',
      'diun-pilot check',
    );
    const none = backupOld({ about: 'web', lastGood: null, publicUrl });
    expect(none.subject).toBe('[diun-pilot] web: no backup has succeeded yet – please check');
    await bothSay(none, 'web: no backup has succeeded yet', 'nothing can be restored');
  });

  it('tell what shrank, item by item', async () => {
    const before = aBackup({ id: '01OLD', bytes: 4096, items: [item('shop', 3072), item('log', 1024)] });
    const backup = aBackup({ bytes: 1124, items: [item('shop', 100), item('log', 1024)] });
    const mail = backupShrunk({ about: 'web', backup, before, publicUrl });
    expect(mail.subject).toBe(
      '[diun-pilot] web: the backup shrank to less than half: 4.0 KiB before, 1.1 KiB now – please check',
    );
    await bothSay(mail, 'database shop of web-db-1: 3.0 KiB before, 100 B now', '01OLD');
    expect(mail.text).not.toContain('database log');
  });
});

describe('a restore drill that failed', () => {
  const publicUrl = 'https://pilot.example.org';
  const drill = {
    status: 'failed',
    at: '2026-11-29T05:01:00.000Z',
    words: 'Bytes are wrong.\npg_restore: error',
  } as const;
  const backup = aBackup({ drill });

  it('says which set, what went wrong, which one has passed, and what to do', async () => {
    const mail = drillFailed({ backup, lastPassed: aBackup({ id: '01OLD' }), publicUrl });
    expect(mail.subject).toBe(
      '[diun-pilot] web: restore drill failed, the backup of 2026-11-23 may not be restorable – please check',
    );
    await bothSay(mail, 'Bytes are wrong.', 'pg_restore: error', '01OLD', `diun-pilot restore ${backup.id} --dry-run`);
    await bothSay(mail, 'Everything is running as before', 'diun-pilot backup --project web');
  });

  it('says so when no other one has passed', async () => {
    await bothSay(drillFailed({ backup, lastPassed: null, publicUrl }), 'No other retained backup of this set');
  });
});

describe('backup failed', () => {
  const failure: Failure = { code: 'storage_full', message: 'The backup storage is full.' };
  const backup = aBackup({ status: 'failed', reason: 'schedule', error: failure, url: null });

  it('says what went wrong, which backup is the last good one, and what to do', async () => {
    const mail = backupFailed({ backup, lastGood: aBackup(), publicUrl: 'https://pilot.example.org' });
    expect(mail.subject).toBe('[diun-pilot] web: backup failed, last good backup: 2026-11-23 – please check');
    await bothSay(mail, 'The backup storage is full.', 'storage_full', aBackup().url ?? '', 'diun-pilot check');
  });

  it('raises the alarm when there is no good one at all', async () => {
    const mail = backupFailed({ backup, lastGood: null, publicUrl: 'https://pilot.example.org' });
    expect(mail.subject).toBe('[diun-pilot] web: backup failed, no good backup exists – please check');
    await bothSay(mail, 'No good backup exists, so nothing can be restored.');
  });
});
