import type { RestoreRecord } from '../../../src/domain/backups/restore';
import { restoreEnded } from '../../../src/notifications/mails/restore-ended';
import { mailReader } from '../../support/mail-reader';
import { at } from '../../support/news-builder';

const { bothSay, neitherSays } = mailReader();

function failedWith(message: string): { restore: RestoreRecord; publicUrl: string } {
  const restore: RestoreRecord = {
    ...{
      id: '01KAT3W9A0RESTORE000000000',
      backupId: '01KAT3W9A0BCDEFGHJKMNPQRST',
      folder: 'web/set',
      url: 's3://b/web',
    },
    ...{ target: null, updateId: null, trustedManifest: null, status: 'failed', kept: [] },
    ...{ createdAt: at(0), startedAt: at(0), finishedAt: at(9), detail: null },
    error: { code: 'restore_failed', message },
  };
  return { restore, publicUrl: 'https://pilot.example.org' };
}

test('a restore that was undone: the previous data is in place, and nothing is down', async () => {
  const mail = restoreEnded({ ...failedWith('The disk is full.'), left: 'all as before' });
  expect(mail.subject).toBe('[diun-pilot] web: restore failed, the previous data is in place – please check');
  await bothSay(mail, 'restore again:');
});

test('a restore after which a container is not healthy: manual action is required', async () => {
  const mail = restoreEnded({ ...failedWith('web-1 does not start.'), left: 'data as before' });
  expect(mail.subject).toContain('a container is not healthy – manual action required');
  await bothSay(mail, 'web-1 does not start.', 'docker ps -a');
});

test('the commands that restore again name the target: without it, the project of the backup would be overwritten', async () => {
  const { restore, publicUrl } = failedWith('The disk is full.');
  const mail = restoreEnded({
    ...{ restore: { ...restore, target: 'shop-staging', trustedManifest: 'abc' }, publicUrl },
    left: 'all as before',
  });
  await bothSay(mail, `diun-pilot restore ${restore.backupId} --project shop-staging --trust`);
});

test('a restore that could not be undone: never claims that the previous data is in place', async () => {
  const mail = restoreEnded({
    ...failedWith('The disk is full. Left stopped, because the data is only partly restored: web-1.'),
    left: 'half',
  });
  expect(mail.subject).toContain('DOWN, restore failed, the previous data could not be put back');
  await bothSay(
    mail,
    'Left stopped, because the data is only partly restored: web-1.',
    'Do not start the stopped containers',
  );
  await neitherSays(mail, 'data is in place');
});
