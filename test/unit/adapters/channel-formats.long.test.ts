import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
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
import { noticeOfLetter } from '../../../src/notifications/letter/render-letter';
import { DOCUMENTED } from '../../support/chat-receivers';
import { HOSTILE, hostile } from '../../support/hostile-strings';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW = new Date('2026-01-05T03:00:00Z');
/** Of chats: mentions, links and headings. */
const MENTIONS = [
  '@everyone',
  '<!channel>',
  '<@U123>',
  '@all',
  '#town-square',
  '[ok](https://evil.example)',
  '**bold**',
  '# x',
  '```',
  '\\',
  '<https://evil.example|ok>',
];
const LINK = 'https://pilot.example.org/approvals/abc.def';
const FORMATS: Record<string, [Format, URL]> = {
  ntfy: [ntfy, new URL('https://ntfy.example.org/alerts')],
  webhook: [standardWebhook(SECRET, () => NOW), new URL('https://example.org/hook')],
  apprise: [apprise, new URL('https://apprise.example.org/notify/home')],
  slack: [slack, new URL('https://hooks.slack.com/services/T/B/x')],
  discord: [discord, new URL('https://discord.com/api/webhooks/1/x')],
  mattermost: [mattermost, new URL('https://chat.example.org/hooks/x')],
};

function notice(fields: Partial<ChannelNotice> = {}): SentNotice {
  return {
    ...{ id: '01J', at: NOW.toISOString(), kind: 'update_failed', topic: 'failures', title: 'gitea: update failed' },
    ...{
      verdict: 'Rolled back',
      priority: 4,
      text: ['gitea runs the old version.'],
      link: { label: 'Open', url: LINK },
    },
    ...fields,
  };
}

/** As every notice is made: of a letter, whose strings are cleaned. */
function noticeOf(strings: string[]): SentNotice {
  const [a = '', b = '', c = '', d = '', e = ''] = strings;
  const made = noticeOfLetter({
    ...{ kind: 'update_failed', updateId: null, about: a, subject: b, heading: c, page: 'https://pilot.example.org/' },
    verdict: { tone: 'alarm', word: d },
    blocks: [
      { type: 'paragraph', text: e },
      { type: 'link', label: a, url: LINK, button: true },
      { type: 'heading', text: 'What went wrong' },
      { type: 'paragraph', text: b },
      { type: 'heading', text: 'Look at it first' },
      { type: 'commands', lines: [c, d] },
      { type: 'heading', text: 'What you can do' },
      { type: 'list', items: [a, e] },
    ],
  });
  return { ...made, id: '01J', at: NOW.toISOString() };
}

const bodyOf = (name: string, sent: SentNotice): Record<string, unknown> => {
  const [format, url] = FORMATS[name] as [Format, URL];
  return JSON.parse(format(url, sent).body) as Record<string, unknown>;
};

/** Text of Markdown with what is escaped taken out: whatever is left of its marks would act. */
const unescaped = (text: string): string => text.replace(/\\[!-/:-@[-`{-~]/g, '');

test.each(Object.keys(FORMATS))(
  '%s: 10,000 hostile strings in 2,000 notices stay within what the service documents, and act on nothing',
  (name) => {
    const strings = fc.array(
      fc.oneof(
        fc.oneof(fc.constantFrom(...HOSTILE, ...MENTIONS), hostile),
        fc.string({ unit: 'grapheme', maxLength: 3000 }),
      ),
      {
        minLength: 5,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(strings, (all) => {
        const [format, url] = FORMATS[name] as [Format, URL];
        const call = format(url, noticeOf(all));
        for (const value of Object.values(call.headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
        const read = DOCUMENTED[name as keyof typeof DOCUMENTED].safeParse(JSON.parse(call.body));
        expect(read.error?.message).toBeUndefined();
        CHECKS[name]?.(JSON.parse(call.body) as never);
      }),
      { numRuns: 2000 },
    );
  },
);

const CHECKS: Record<string, (body: never) => void> = {
  ntfy: ({ title, message, priority, click }: { title: string; message: string; priority: number; click: string }) => {
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
    expect(Buffer.byteLength(title)).toBeLessThanOrEqual(250);
    expect([priority, click]).toEqual([5, LINK]);
  },
  slack: ({ text, blocks }: { text: string; blocks: { text: { type: string; text: string } }[] }) => {
    expect(text).not.toMatch(/[<>]/);
    const [header, body, link] = blocks.map((block) => block.text);
    expect([header?.type, body?.type, link?.type]).toEqual(['plain_text', 'plain_text', 'mrkdwn']);
    expect(header?.text.length).toBeLessThanOrEqual(150);
    expect(body?.text.length).toBeLessThanOrEqual(3000);
    expect(link?.text).toMatch(/^<https:\/\/pilot\.example\.org\/approvals\/abc\.def\|[^<>]*>$/);
  },
  discord: ({
    embeds,
    allowed_mentions,
  }: {
    embeds: { title: string; description: string }[];
    allowed_mentions: unknown;
  }) => {
    const [{ title, description } = { title: '', description: '' }] = embeds;
    expect(title.length).toBeLessThanOrEqual(256);
    expect(description.length).toBeLessThanOrEqual(4096);
    expect(allowed_mentions).toEqual({ parse: [] });
    onlyLink(description);
  },
  mattermost: ({ text }: { text: string }) => {
    expect(text.length).toBeLessThanOrEqual(4000);
    onlyLink(text.replace(/^\*\*/, '').replace(/\*\*\n\n/, '\n\n'));
    expect(text).not.toMatch(/@(?!\u200B)/);
  },
  webhook: (body: { data: { link: unknown } }) => expect(body.data.link).toMatchObject({ url: LINK }),
  apprise: ({ type, format, title, body }: { type: string; format: string; title: string; body: string }) => {
    expect([type, format]).toEqual(['failure', 'text']);
    for (const text of [title, body]) {
      expect(text).not.toMatch(/(?<!\w)@(?!\u200B)|@(?=everyone|here|channel|all)/i);
      expect(text).not.toMatch(/<[!@#]|\]\(/);
    }
  },
};

/** The only mark that is not escaped is that of our own link, at the end. */
function onlyLink(text: string): void {
  const marks = unescaped(text).replace(/\n\n\[[^\]]*\]\(https:\/\/pilot\.example\.org\/approvals\/abc\.def\)$/, '');
  expect(marks).not.toMatch(/[*_~`|<>[\]#@]/);
}

test('a webhook is signed as the library verifies, over exactly the body, under the id of its mail', () => {
  const [format, url] = FORMATS['webhook'] as [Format, URL];
  const { headers, body } = format(url, { ...notice(), id: '01JABC' });
  jest.useFakeTimers({ now: NOW });
  expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({
    type: 'update_failed',
    data: { link: { url: LINK } },
  });
  expect(() => new Webhook(SECRET).verify(body.replace('gitea', 'gitee'), headers)).toThrow();
  jest.useRealTimers();
  expect(headers['webhook-id']).toBe('01JABC');
});

test('a message holds the signed link and no action', () => {
  expect(bodyOf('ntfy', notice())).toMatchObject({ topic: 'alerts', priority: 4, click: LINK });
  expect(bodyOf('ntfy', notice())).not.toHaveProperty('actions');
  for (const name of Object.keys(FORMATS)) {
    const text = JSON.stringify(bodyOf(name, notice()));
    expect([name, text.includes('abc.def')]).toEqual([name, true]);
    expect([name, text.includes('decision=')]).toEqual([name, false]);
  }
});

test('a command in a notice through Apprise can be copied', () => {
  const text = `docker pull gitea/gitea@sha256:abc; ssh me@nas.example.org`;
  expect(bodyOf('apprise', notice({ text: [text] }))['body']).toContain(text);
});

test('a login is in a header and not in the address; a password alone is a token', () => {
  const call = ntfy(new URL('https://me:p%40ss@ntfy.example.org/t'), notice());
  expect(call.url).toBe('https://ntfy.example.org/');
  expect(call.headers['Authorization']).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  expect(ntfy(new URL('https://:tk_1@ntfy.example.org/t'), notice()).headers['Authorization']).toBe('Bearer tk_1');
});
