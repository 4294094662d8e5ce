import type { Soak, SoakData } from '../../../src/domain/soak/soak';
import { soakEnded, soakFailed } from '../../../src/notifications/mails/soak';
import { mailReader } from '../../support/mail-reader';
import { aBackup, anUpdate, at, news } from '../../support/news-builder';

const DECIDE = 'https://pilot.example.org/approvals/TOKEN';
const { bothSay, neitherSays } = mailReader();
const update = anUpdate({ status: 'succeeded', finishedAt: at(60) });
const soak: Soak = {
  ...{ updateId: update.id, container: 'nginx', containerId: 'new', oldContainerId: 'old', status: 'deciding' },
  ...{ startedAt: at(60), until: at(1860), lookAt: at(60), restarts: 0, holdsData: true, choice: null, outcome: null },
  ...{ failure: 'nginx restarted 3 times in 12 min.\nexit status 1', failedAt: at(780) },
  ...{ schema: 'changed', schemaDetail: 'The schema is another: 2 tables added.', decideUntil: at(260_000) },
};
const failed = (
  offered: SoakData[],
  which: 'first' | 'reminder' = 'first',
  differs: Partial<Soak> = {},
  oldIsGone = false,
) =>
  soakFailed(
    {
      ...news({ update, backup: aBackup() }),
      ...{ soak: { ...soak, ...differs }, offered, oldIsGone, now: new Date(at(830)) },
      decideUrl: DECIDE,
    },
    which,
  );

test('a failed soak says what happened, what happens without a decision, every choice, and until when', async () => {
  const mail = failed(['backup']);
  expect(mail.subject).toBe(
    '[diun-pilot] nginx: unhealthy after its update – decide whether the old version runs again',
  );
  await bothSay(
    mail,
    'Decision required: nginx restarted 3 times in 12 min.',
    'The new version stays in place until you decide.',
    'The schema is another: 2 tables added.',
    'The old version with the backup from before the update. The data of the last',
    'The new version, as it is now. Nothing is changed.',
    'The link is valid until 2026-11-26 03:13:30 UTC. Until then, the stopped old container is kept.',
    'exit status 1',
  );
  for (const part of [mail.html, mail.text]) expect(part).toContain('https://pilot.example.org/approvals/TOKEN');
  expect(mail.notice).toMatchObject({ topic: 'decisions', priority: 5, link: { label: 'Review and decide' } });
});

test('the versions have a heading of their own, and are not part of the log', () => {
  const { text } = failed(['backup']);
  expect(text).toMatch(/\| exit status 1\n\nThe update\n-+\n\nContainer/);
});

test.each([
  ['the backup is gone', false, 'No verified backup from before the update is left', 'Kept, stopped'],
  ['the old container is gone', true, 'The old container was removed externally', 'Before the update'],
])(
  'without a way back, since %s, the mail asks for no decision and says what to look at',
  async (_, oldIsGone, why, was) => {
    const mail = failed([], 'first', { schema: 'changed', schemaDetail: null }, oldIsGone);
    expect(mail.subject).toBe(
      '[diun-pilot] nginx: unhealthy after its update, the old version cannot run again – manual action required',
    );
    await bothSay(mail, 'Manual action required: nginx restarted 3 times in 12 min.', why, was);
    await bothSay(mail, 'The new version stays in place.', 'docker logs --tail 100 nginx', 'exit status 1');
    await neitherSays(mail, 'The old version with', 'decide', 'old container is kept');
    expect(mail.notice).toMatchObject({ priority: 5, link: { label: 'Open the page', url: DECIDE } });
  },
);

test('the reminder says that the link expires', () => {
  const mail = failed(['backup'], 'reminder');
  expect(mail.subject).toContain('the link expires soon – please decide');
});

test('what is not known of the current data is said with the choice, as on the page', async () => {
  const unknown = { schema: 'unknown', schemaDetail: null } as const;
  const risk = 'It is not known whether the new version changed the data in a way that the old one cannot read.';
  await bothSay(failed(['backup', 'current'], 'first', unknown), risk);
  await neitherSays(failed(['current'], 'first', { schema: 'unchanged' }), risk);
});

test.each([
  [true, 'no rollback is possible'],
  [false, 'does not run after docker compose up – manual action required'],
])('a soak that Compose ended, running %s', async (runs, subject) => {
  const mail = soakEnded({ ...news({ update, backup: aBackup() }), words: 'Compose re-created it.', runs });
  expect(mail.subject).toContain(subject);
  await bothSay(mail, 'diun-pilot can no longer roll this update back', 'docker logs --tail 100 nginx');
  await (runs ? neitherSays : bothSay)(mail, 'Manual action required: Compose re-created it.');
});
