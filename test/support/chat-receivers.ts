import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

// What services document of a message that they take, and what they answer to one that they do not. Lengths are counted in UTF-16
// units, the strictest way to count characters. No field is accepted that diun-pilot has no reason to send.

const within = (most: number): z.ZodString =>
  z
    .string()
    .min(1)
    .refine(({ length }) => length <= most, `longer than ${most} characters`);
const LINK = z.url({ protocol: /^https?$/ });

/** docs.slack.dev: incoming webhooks, block kit (header, section), text objects. */
const plainText = (most: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: within(most), emoji: z.boolean() });
const slack = z.strictObject({
  text: within(40_000),
  blocks: z
    .array(
      z.union([
        z.strictObject({ type: z.literal('header'), text: plainText(150) }),
        z.strictObject({
          type: z.literal('section'),
          text: z.union([plainText(3000), z.strictObject({ type: z.literal('mrkdwn'), text: within(3000) })]),
        }),
      ]),
    )
    .max(50),
  unfurl_links: z.literal(false),
  unfurl_media: z.literal(false),
});

/** discord.com/developers: execute webhook, embed limits (6,000 characters altogether), allowed mentions. */
const discord = z.strictObject({
  embeds: z
    .array(
      z
        .strictObject({ title: within(256), description: within(4096), color: z.int().min(0).max(0xffffff) })
        .refine(({ title, description }) => title.length + description.length <= 6000, 'the embed is too long'),
    )
    .min(1)
    .max(10),
  allowed_mentions: z.strictObject({ parse: z.array(z.never()) }),
});

/** developers.mattermost.com: incoming webhooks; servers from before 5.0 cut a post at 4,000 characters. */
const mattermost = z.strictObject({ text: within(4000) });

/** docs.ntfy.sh/publish (publish as JSON): the server's limits are in bytes; a longer message becomes an attachment. */
const bytes = (most: number): z.ZodString =>
  z.string().refine((text) => Buffer.byteLength(text) <= most, `longer than ${most} bytes`);
const ntfy = z.strictObject({
  topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/),
  title: bytes(250),
  message: bytes(4095).min(1),
  priority: z.int().min(1).max(5),
  tags: z.array(within(50)).max(5),
  click: LINK.optional(),
});

/** github.com/caronc/apprise-api: stateful notification. */
const apprise = z.strictObject({
  title: z.string(),
  body: z.string().min(1),
  type: z.enum(['info', 'success', 'warning', 'failure']),
  format: z.enum(['text', 'markdown', 'html']),
});

/** docs/notifications.md. */
const webhook = z.strictObject({
  type: z.string().regex(/^[a-z_]+$/),
  timestamp: z.iso.datetime(),
  data: z.strictObject({
    topic: z.enum(['decisions', 'failures', 'successes']),
    title: z.string().min(1),
    verdict: z.string(),
    priority: z.int().min(2).max(5),
    text: z.string(),
    link: z.strictObject({ label: z.string(), url: LINK }).nullable(),
  }),
});

/** By the kind of the channel: the body of its request. */
export const DOCUMENTED = { ntfy, webhook, apprise, slack, discord, mattermost } as const;
type Service = Exclude<keyof typeof DOCUMENTED, 'ntfy' | 'apprise'>;

const PATHS: Record<Service, string> = {
  slack: '/services/T000/B000/xyz',
  discord: '/api/webhooks/1/token',
  mattermost: '/hooks/key',
  webhook: '/hook',
};
interface Said {
  status: number;
  body: string;
}
const TAKEN: Record<Service, Said> = {
  slack: { status: 200, body: 'ok' },
  discord: { status: 200, body: '{"id":"1","type":0}' },
  mattermost: { status: 200, body: 'ok' },
  webhook: { status: 204, body: '' },
};
const REFUSED: Record<Service, Said> = {
  slack: { status: 400, body: 'invalid_blocks' },
  discord: { status: 400, body: '{"message":"Invalid Form Body","code":50035}' },
  mattermost: {
    status: 400,
    body: '{"id":"web.incoming_webhook.parse.app_error","message":"Unable to parse incoming data."}',
  },
  webhook: { status: 400, body: 'the signature or the body is wrong' },
};

export interface Receiver {
  /** For PILOT_NOTIFY_URL. */
  address: string;
  /** Bodies that were taken. */
  taken: Record<string, unknown>[];
  /** Why others were not. */
  refused: string[];
  close(): Promise<void>;
}

/** The service in place of itself: takes what it documents, and refuses anything else with its own answer. `secret`: of `webhook`. */
export async function startReceiver(service: Service, secret: string): Promise<Receiver> {
  const taken: Receiver['taken'] = [];
  const refused: string[] = [];
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts).toString();
      const url = new URL(request.url ?? '/', 'http://x');
      const why = problemOf(service, secret, { raw, url, method: request.method, headers: request.headers });
      if (why === null) taken.push(JSON.parse(raw) as Record<string, unknown>);
      else refused.push(why);
      const { status, body } = (why === null ? TAKEN : REFUSED)[service];
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `${service}+http://127.0.0.1:${port}${PATHS[service]}`,
    taken,
    refused,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Call {
  raw: string;
  url: URL;
  method: string | undefined;
  headers: NodeJS.Dict<string | string[]>;
}

/** Null: the service takes it. */
function problemOf(service: Service, secret: string, { raw, url, method, headers }: Call): string | null {
  if (method !== 'POST' || url.pathname !== PATHS[service]) return `${method} ${url.pathname}`;
  if (!/^application\/json\b/.test(String(headers['content-type']))) return 'it is not JSON';
  if (service === 'discord' && url.searchParams.get('wait') !== 'true') return 'it does not wait for the answer';
  try {
    if (service === 'webhook') new Webhook(secret).verify(raw, headers as Record<string, string>);
    const read = DOCUMENTED[service].safeParse(JSON.parse(raw));
    return read.success ? null : z.prettifyError(read.error);
  } catch (error) {
    return String(error);
  }
}
