import {
  apprise,
  discord,
  mattermost,
  ntfy,
  slack,
  standardWebhook,
  type Format,
  type SentNotice,
} from '../../../src/adapters/channels/formats';
import type { ChannelNotice } from '../../../src/domain/channel-notice';
import {
  approvalReminder,
  criticalUpdateAvailable,
  offerSuperseded,
  updateAvailable,
} from '../../../src/notifications/mails/offer';
import { backupFailed, backupOld, backupShrunk, drillFailed } from '../../../src/notifications/mails/backups';
import { certificateNearEnd } from '../../../src/notifications/mails/certificate-near-end';
import { digest } from '../../../src/notifications/digest';
import { engineLost } from '../../../src/notifications/mails/engine-lost';
import { networkLost } from '../../../src/notifications/mails/network-lost';
import { renewalFailed } from '../../../src/notifications/mails/renewal-failed';
import { soakEnded } from '../../../src/notifications/mails/soak';
import { updateFailed } from '../../../src/notifications/mails/update-failed';
import { updateSucceeded } from '../../../src/notifications/mails/update-succeeded';
import type { RenderedMail } from '../../../src/notifications/rendered-mail';
import { aCertificate, aRenewal, aSeen, NOW } from '../../support/certificate-builder';
import {
  aBackup,
  aFailedRollback,
  aFailedUpdate,
  anUpdate,
  aPlan,
  aRolledBackUpdate,
  failedNews,
  news,
} from '../../support/news-builder';

// What a channel says of a mail: verdict, reason, what to do and the link, with the priority of the verdict; the same for all.

const PUBLIC = 'https://pilot.example.org/';
const LINK = `${PUBLIC}approvals/abc.def`;
const waiting = anUpdate({
  status: 'awaiting_approval',
  approval: { status: 'waiting', expiresAt: '2026-11-26T03:00:10.000Z', decidedAt: null },
});
const critical = {
  ...news({ update: waiting, plan: aPlan() }),
  ...{ surroundings: { lastBackup: null, usualDowntimeSeconds: null }, approvalUrl: LINK },
};
const failed = (update: typeof waiting) => updateFailed(failedNews({ update, backup: aBackup(), quarantined: true }));
const certificate = (left: number) => {
  const served = aCertificate({ left });
  return certificateNearEnd({ seen: aSeen({ served }), certificate: served, now: NOW, publicUrl: PUBLIC });
};
const about = { about: 'web', publicUrl: PUBLIC };
const lost = { since: NOW.toISOString(), reason: 'x', inContainer: true, publicUrl: PUBLIC };
const ended = { ...news({ update: anUpdate({ status: 'succeeded' }) }), words: 'Compose re-created it.' };

const MAILS: [what: string, mail: () => RenderedMail, topic: ChannelNotice['topic'], priority: number, says: RegExp][] =
  [
    [
      'an offer',
      () => criticalUpdateAvailable({ ...critical, replaces: null }),
      'decisions',
      4,
      /The offer expires at 2026-11-26 03:00:10 UTC/,
    ],
    ['a reminder', () => approvalReminder(critical), 'decisions', 4, /The offer expires at 2026-11-26 03:00:10 UTC/],
    [
      'an offer that is void',
      () => offerSuperseded(news({ update: { ...waiting, reason: 'Newer.' } })),
      'decisions',
      3,
      /What to do now: Nothing\./,
    ],
    ['an automatic update', () => updateAvailable(news({ plan: aPlan() })), 'successes', 3, /There is nothing to do/],
    [
      'a success',
      () => updateSucceeded(news({ update: anUpdate({ status: 'succeeded' }) })),
      'successes',
      2,
      /running the new version and is healthy/,
    ],
    [
      'a success with a step left',
      () => updateSucceeded(news({ update: anUpdate({ followUp: 'Edit compose.yml' }) })),
      'successes',
      3,
      /What to do now: Edit compose\.yml/,
    ],
    [
      'a failure before the swap',
      () => failed(aFailedUpdate()),
      'failures',
      4,
      /unknown directive "http3"[^]*What happens next: .*on the host: diun-pilot update nginx/,
    ],
    [
      'a rollback',
      () => failed(aRolledBackUpdate()),
      'failures',
      4,
      /The container stopped with exit code 1\.[^]*What happens next: /,
    ],
    [
      'a rollback that failed',
      () => failed(aFailedRollback()),
      'failures',
      5,
      /Look at it first: docker ps -a .*; docker logs --tail 100 nginx; .*\nThen bring it back: docker start nginx$/m,
    ],
    [
      'a soak that Compose ended',
      () => soakEnded({ ...ended, runs: true }),
      'failures',
      4,
      /Check it: docker ps -a --filter name=nginx/,
    ],
    [
      'the same, and nothing runs',
      () => soakEnded({ ...ended, runs: false }),
      'failures',
      5,
      /Manual action required: Compose re-created it/,
    ],
    [
      'a failed backup',
      () => backupFailed({ backup: aBackup({ status: 'failed' }), lastGood: aBackup(), publicUrl: PUBLIC }),
      'failures',
      4,
      /diun-pilot backup/,
    ],
    [
      'the first backup, which failed',
      () => backupFailed({ backup: aBackup({ status: 'failed' }), lastGood: null, publicUrl: PUBLIC }),
      'failures',
      5,
      /diun-pilot backup/,
    ],
    ['an old backup', () => backupOld({ ...about, lastGood: aBackup() }), 'failures', 4, /diun-pilot backup/],
    ['no backup at all', () => backupOld({ ...about, lastGood: null }), 'failures', 5, /diun-pilot backup/],
    [
      'a backup that shrank',
      () => backupShrunk({ ...about, backup: aBackup(), before: aBackup() }),
      'failures',
      4,
      /diun-pilot backup/,
    ],
    [
      'a failed drill',
      () =>
        drillFailed({
          backup: aBackup({ drill: { status: 'failed', at: NOW.toISOString(), words: 'It is torn.' } }),
          lastPassed: null,
          publicUrl: PUBLIC,
        }),
      'failures',
      5,
      /It is torn\.[^]*diun-pilot backup/,
    ],
    [
      'a failed renewal',
      () =>
        renewalFailed({
          renewal: aRenewal({ error: { code: 'renewal_failed', message: 'DNS.' } }),
          retryAt: NOW.toISOString(),
          now: NOW,
          publicUrl: PUBLIC,
        }),
      'failures',
      4,
      /DNS\.[^]*diun-pilot renew/,
    ],
    ['a certificate with days left', () => certificate(20), 'failures', 4, /diun-pilot renew/],
    ['a certificate with few days left', () => certificate(3), 'failures', 5, /diun-pilot renew/],
    [
      'a lost network',
      () => networkLost({ container: 'web', service: 'web', words: 'Gone.', triesAgain: false, publicUrl: PUBLIC }),
      'failures',
      5,
      /Gone\.[^]*docker compose up -d web/,
    ],
    [
      'a lost engine, before the end of the process',
      () => engineLost({ ...lost, ends: true }),
      'failures',
      4,
      /What to do now: /,
    ],
    ['a lost engine', () => engineLost({ ...lost, ends: false }), 'failures', 5, /What to do now: /],
  ];

const noticeOf = (mail: RenderedMail): ChannelNotice => {
  if (mail.notice === null) throw new Error(`no notice of ${mail.kind}`);
  return mail.notice;
};

test.each(MAILS)(
  '%s has the topic and the priority of its verdict, and says what to do',
  (_, render, topic, priority, says) => {
    const mail = render();
    const notice = noticeOf(mail);
    expect([notice.topic, notice.priority]).toEqual([topic, priority]);
    expect(notice.title).toBe(mail.subject.replace('[diun-pilot] ', ''));
    expect(notice.text.join('\n')).toMatch(says);
    expect(notice.text.filter((text) => text.endsWith(':'))).toEqual([]);
  },
);

test('priority 5 is that of every mail that requires manual action, and of no mail with nothing to do', () => {
  const of = (pattern: RegExp) => MAILS.map(([, render]) => render()).filter(({ subject }) => pattern.test(subject));
  expect(of(/manual action required/).length).toBeGreaterThan(2);
  expect(of(/manual action required/).filter((mail) => noticeOf(mail).priority !== 5)).toEqual([]);
  expect(of(/nothing (to do|urgent)/).filter((mail) => noticeOf(mail).priority === 5)).toEqual([]);
});

test('a digest is for no channel: each of its messages has had its own notice', () => {
  expect(digest([{ at: 'today', notice: { title: 'a' } }], PUBLIC).notice).toBeNull();
});

/** Everything that one service shows of a message, its escapes undone; the link at the end. */
const SHOWN: Record<string, { format: Format; read: (body: never) => string[]; mark: (body: never) => unknown }> = {
  ntfy: {
    format: ntfy,
    read: ({ title, message, click }: { title: string; message: string; click: string }) => [title, message, click],
    mark: ({ priority, tags }: { priority: number; tags: string[] }) => [priority, tags],
  },
  webhook: {
    format: standardWebhook(`whsec_${Buffer.alloc(32, 7).toString('base64')}`, () => NOW),
    read: ({ data }: { data: { title: string; verdict: string; text: string; link: { url: string } } }) => [
      data.title,
      `${data.verdict}.\n\n${data.text}`,
      data.link.url,
    ],
    mark: ({ data }: { data: { priority: number; topic: string } }) => [data.priority, data.topic],
  },
  apprise: {
    format: apprise,
    read: ({ title, body }: { title: string; body: string }) => [title, ...split(body, /\n\n[^\n]*: (https:\S+)$/)],
    mark: ({ type }: { type: string }) => type,
  },
  slack: {
    format: slack,
    read: ({ blocks: [title, body, link] }: { blocks: { text: { text: string } }[] }) => [
      title?.text.text ?? '',
      body?.text.text ?? '',
      /^<([^|]*)\|/.exec(link?.text.text ?? '')?.[1] ?? '',
    ],
    mark: ({ blocks }: { blocks: unknown[] }) => blocks.length,
  },
  discord: {
    format: discord,
    read: ({ embeds: [embed] }: { embeds: { title: string; description: string }[] }) => [
      asShown(embed?.title ?? ''),
      ...split(embed?.description ?? '', /\n\n\[[^\]]*\]\((https:\S+)\)$/).map(asShown),
    ],
    mark: ({ embeds: [embed] }: { embeds: { color: number }[] }) => embed?.color,
  },
  mattermost: {
    format: mattermost,
    read: ({ text }: { text: string }) => {
      const [title = '', ...rest] = text.split('\n\n');
      return [title.slice(2, -2), ...split(rest.join('\n\n'), /\n\n\[[^\]]*\]\((https:\S+)\)$/)].map(asShown);
    },
    mark: () => null,
  },
};
const asShown = (markdown: string): string => markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('\u200B', '');
function split(text: string, link: RegExp): string[] {
  const found = link.exec(text);
  return [text.slice(0, found?.index), found?.[1] ?? ''];
}
const shownBy = (name: string, notice: SentNotice): { said: string[]; mark: unknown } => {
  const { format, read, mark } = SHOWN[name] as (typeof SHOWN)[string];
  const body = JSON.parse(format(new URL('https://example.org/topic'), notice).body) as never;
  return { said: read(body), mark: mark(body) };
};

test.each(MAILS)('every service says the same of %s: title, verdict, reason, what to do, link', (_, render) => {
  const notice = { ...noticeOf(render()), id: '01J', at: NOW.toISOString() };
  const said = [notice.title, [`${notice.verdict}.`, ...notice.text].join('\n\n'), notice.link?.url];
  for (const name of Object.keys(SHOWN)) expect({ name, ...shownBy(name, notice) }).toMatchObject({ name, said });
});

test.each([
  [5, ['rotating_light', 'failures'], 'failure', 0xc62828],
  [4, ['warning', 'failures'], 'warning', 0xef6c00],
  [3, ['information_source', 'failures'], 'info', 0x1565c0],
  [2, ['white_check_mark', 'failures'], 'success', 0x2e7d32],
] as const)(
  'priority %i has its tags, type and colour at each service that shows one',
  (priority, tags, type, colour) => {
    const notice = { ...noticeOf(failed(aFailedUpdate())), priority, id: '01J', at: NOW.toISOString() };
    const marks = Object.keys(SHOWN).map((name) => [name, shownBy(name, notice).mark]);
    expect(Object.fromEntries(marks)).toMatchObject({
      ...{ ntfy: [priority, tags], webhook: [priority, 'failures'], apprise: type, discord: colour },
    });
  },
);
