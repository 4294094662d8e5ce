import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createChannel } from '../../src/adapters/channels/channels';
import { readRetryAfter } from '../../src/adapters/channels/http-call';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { readNotifyUrls } from '../../src/config/urls';
import type { MailError } from '../../src/domain/errors';
import { createDelivery, createNoticeDelivery, deliverAll } from '../../src/notifications/deliver';
import { updateAvailable } from '../../src/notifications/mails/offer';
import { updateFailed } from '../../src/notifications/mails/update-failed';
import { postMail } from '../../src/notifications/post-mail';
import { Secret } from '../../src/lib/secret';
import type { Channel } from '../../src/ports/mail-transport';
import type { Store } from '../../src/ports/store';
import { certificateWith } from '../support/make-certificate';
import { eventually } from '../support/eventually';
import { aFailedUpdate, anUpdate, failedNews, news } from '../support/news-builder';
import { recordingLogger } from '../support/recording-logger';
import { TestClock } from '../support/test-clock';

let store: Store;
let clock: TestClock;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let received: { url: string; body: { title: string } }[];
beforeEach(async () => {
  clock = new TestClock({ autoAdvance: false });
  store = createSqliteStore({ path: ':memory:', clock });
  received = [];
  answer = (_, response) => response.end('{}');
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ url: request.url ?? '', body: JSON.parse(Buffer.concat(parts).toString()) as { title: string } });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  store.close();
});

function channelTo(topic: string, on = ''): Channel {
  return channelAt(`ntfy://127.0.0.1:${(server.address() as AddressInfo).port}/${topic}${on}`);
}

function channelAt(url: string): Channel {
  const read = readNotifyUrls(url);
  if ('problem' in read) throw new Error(read.problem);
  const [target] = read.value;
  if (target === undefined) throw new Error('no channel');
  return createChannel({ target, secret: new Secret('whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ='), now: () => clock.now() });
}

const { logger } = recordingLogger();
const deliveryTo = (channel: Channel) => createNoticeDelivery({ store, channel, clock, logger, random: () => 0 });
const failed = (container: string): string =>
  postMail(
    store.outbox,
    updateFailed(
      failedNews({ update: anUpdate({ ...aFailedUpdate(), container, status: 'failed' }), quarantined: false }),
    ),
  );
const titles = (): string[] => received.map(({ body }) => body.title);

test('a notice is written with its mail, for the channels that ask for its topic, and for those alone', async () => {
  const [failures, all] = [channelTo('failures'), channelTo('all', '?on=decisions,failures,successes')];
  store.channels.use([failures, all]);
  failed('one');
  store.transaction(() => postMail(store.outbox, updateAvailable(news({ update: anUpdate({ container: 'two' }) }))));
  await deliveryTo(failures).deliverDue();
  expect(titles()).toEqual([expect.stringContaining('one')]);
  received = [];
  await deliveryTo(all).deliverDue();
  expect(titles()).toEqual([expect.stringContaining('one'), expect.stringContaining('two')]);
});

test('no notice exists of a state that was undone', async () => {
  const channel = channelTo('t');
  store.channels.use([channel]);
  expect(() =>
    store.transaction(() => {
      failed('one');
      throw new Error('undone');
    }),
  ).toThrow('undone');
  await deliveryTo(channel).deliverDue();
  expect(received).toEqual([]);
});

test('a channel that was set later hears nothing of the time before, and one that was removed is given up', async () => {
  const channel = channelTo('t');
  failed('before');
  store.channels.use([channel]);
  failed('after');
  expect(store.channels.use([])).toBe(1);
  store.channels.use([channel]);
  await deliveryTo(channel).deliverDue();
  expect(received).toEqual([]);
});

test('a service that is busy names the time of the next try, one that is down is tried again, each notice once', async () => {
  const channel = channelTo('t');
  store.channels.use([channel]);
  failed('one');
  const delivery = deliveryTo(channel);
  answer = (_, response) => response.writeHead(429, { 'Retry-After': '120' }).end('slow down');
  await delivery.deliverDue();
  expect(store.channels.of(channel.id).state()).toMatchObject({
    pending: 1,
    lastError: expect.stringMatching(/429: slow down/),
  });
  await clock.advance(119_000);
  await delivery.deliverDue();
  expect(received).toHaveLength(1);
  answer = (_, response) => response.writeHead(500).end();
  await clock.advance(2_000);
  await delivery.deliverDue();
  answer = (_, response) => response.end('{}');
  await clock.advance(60_000);
  await delivery.deliverDue();
  await delivery.deliverDue();
  expect(received).toHaveLength(3);
  expect(store.channels.of(channel.id).state()).toMatchObject({ pending: 0, refused: 0 });
});

test.each([408, 425, 429, 500, 503])('an answer of %i is tried again, and no notice is lost', async (status) => {
  const channel = channelTo('t');
  store.channels.use([channel]);
  failed('one');
  answer = (_, response) => response.writeHead(status).end();
  await deliveryTo(channel).deliverDue();
  expect(store.channels.of(channel.id).state()).toMatchObject({ pending: 1, refused: 0 });
});

test('what is refused for good is kept with the reason, and tried again at the next start', async () => {
  const channel = channelTo('t');
  store.channels.use([channel]);
  failed('one');
  answer = (_, response) => response.writeHead(403).end('no such token');
  await deliveryTo(channel).deliverDue();
  expect(store.channels.of(channel.id).state()).toMatchObject({
    refused: 1,
    lastError: expect.stringMatching(/403.*token in PILOT_NOTIFY_URL/),
  });
  answer = (_, response) => response.end('{}');
  const next = deliveryTo(channel);
  next.start();
  await next.deliverDue();
  await next.stop();
  expect(store.channels.of(channel.id).state()).toMatchObject({ pending: 0, refused: 0 });
});

test('a crash after the call and before the record sends it again, under the same id; after the record, never', async () => {
  const channel = channelTo('t');
  store.channels.use([channel]);
  const id = failed('one');
  const sent: string[] = [];
  const recorded: Channel = { ...channel, send: (notice) => Promise.resolve(void sent.push(notice.id)) };
  const crash = createNoticeDelivery({
    store: {
      channels: {
        ...store.channels,
        of: (each) => ({
          ...store.channels.of(each),
          sent: () => {
            throw new Error('crash');
          },
        }),
      },
    },
    ...{ channel: recorded, clock, logger },
  });
  await expect(crash.deliverDue()).rejects.toThrow('crash');
  await deliveryTo(recorded).deliverDue();
  await deliveryTo(recorded).deliverDue();
  expect(sent).toEqual([id, id]);
});

test('a channel that hangs delays neither mail nor another channel', async () => {
  const [hanging, good] = [channelTo('hangs'), channelTo('good')];
  store.channels.use([hanging, good]);
  failed('one');
  answer = (_, response) =>
    received.at(-1)?.body && (received.at(-1) as unknown as { body: { topic: string } }).body.topic === 'good'
      ? void response.end('{}')
      : undefined;
  const mails: string[] = [];
  const transport = {
    send: ({ subject }: { subject: string }) => Promise.resolve(void mails.push(subject)),
    check: () => Promise.resolve(),
  };
  const mail = createDelivery({ store, transport, clock, logger, from: 'a@b.example', to: ['c@d.example'] });
  const hangs = deliverAll([deliveryTo(hanging), mail, deliveryTo(good)]).deliverDue();
  let hasEnded = false;
  void hangs.then(() => (hasEnded = true));
  await eventually('mail and the other channel have it', () => mails.length === 1 && received.length === 2);
  await eventually('it is recorded', () => store.channels.of(good.id).state().pending === 0);
  expect([mails, hasEnded]).toEqual([[expect.stringContaining('one')], false]);
  expect(store.channels.of(good.id).state()).toMatchObject({ pending: 0 });
  expect(store.channels.of(hanging.id).state()).toMatchObject({ pending: 1 });
  server.closeAllConnections();
  await hangs;
});

test.each([
  [
    'a redirect, which may be a loop',
    (response: ServerResponse) => response.writeHead(302, { Location: '/t' }).end(),
    true,
  ],
  ['an answer that is too large', (response: ServerResponse) => response.end('x'.repeat(100_000)), false],
  ['a connection that breaks', (response: ServerResponse) => response.destroy(), false],
  ['a wrong address', (response: ServerResponse) => response.writeHead(404).end(), true],
])('%s', async (_, fault, permanent) => {
  answer = (__, response) => void fault(response);
  const error: MailError = await channelTo('secret-topic')
    .send({
      id: '1',
      at: '',
      kind: 'k',
      topic: 'failures',
      title: 't',
      verdict: 'v',
      priority: 3,
      text: [],
      link: null,
    })
    .then(
      () => Promise.reject(new Error('it was taken')),
      (reason: MailError) => reason,
    );
  expect(error).toMatchObject({ name: 'MailError', permanent });
  expect(error.message).not.toContain('secret-topic');
  expect(received).toHaveLength(1); // no redirect is followed
});

test.each([
  [301, 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.'],
  [302, 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.'],
  [303, 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.'],
  [307, 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.'],
  [308, 'It redirects to another address: enter the final one in PILOT_NOTIFY_URL.'],
  [401, 'Check the user, password or token in PILOT_NOTIFY_URL.'],
  [404, 'It does not know the address: check PILOT_NOTIFY_URL.'],
  [410, 'It does not know the address: check PILOT_NOTIFY_URL.'],
  [400, 'Check PILOT_NOTIFY_URL, then run `diun-pilot check --notify`.'],
])('an answer of %i is refused for good, is asked nothing more, and says what to correct', async (status, advice) => {
  const channel = channelTo('secret-topic');
  store.channels.use([channel]);
  failed('one');
  const elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere`;
  answer = (_, response) => response.writeHead(status, { Location: elsewhere }).end();
  await deliveryTo(channel).deliverDue();
  await clock.advance(3_600_000);
  await deliveryTo(channel).deliverDue();
  expect(received.map(({ url }) => url)).toEqual(['/']);
  expect(store.channels.of(channel.id).state()).toMatchObject({
    refused: 1,
    lastError: `${channel.name} answered ${status}. ${advice}`,
  });
});

test('the token in the address of a service that cannot be reached is in no message', async () => {
  const channel = channelAt('slack+http://127.0.0.1:1/services/T0/B0/secret-token');
  store.channels.use([channel]);
  failed('one');
  await deliveryTo(channel).deliverDue();
  const { lastError } = store.channels.of(channel.id).state();
  expect(lastError).toMatch(/ECONNREFUSED.*retried automatically/);
  expect(lastError).not.toContain('secret-token');
});

test.each([
  ['slack+http://HOST/services/T0/B0/secret-token?key=hidden', /secret-token|hidden/],
  ['webhook+http://me:p%40ss-word@HOST/h/s3cret', /s3cret|p@ss-word|bWU6cEBzcy13b3Jk/],
  ['ntfy://:tk_secret@HOST/secret-topic', /tk_secret|secret-topic/],
])('a service that repeats its address and login: %s is in no message', async (url, secret) => {
  answer = ({ url: path, headers }, response) => {
    const login = headers.authorization ?? '';
    const clear = Buffer.from(login.slice(6), 'base64').toString().split(':')[1] ?? '';
    response.writeHead(404).end(`Cannot POST ${path} ${login} ${clear} ${JSON.stringify(received.at(-1)?.body)}`);
  };
  const channel = channelAt(url.replace('HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`));
  store.channels.use([channel]);
  failed('one');
  await deliveryTo(channel).deliverDue();
  const { lastError } = store.channels.of(channel.id).state();
  expect(lastError).toMatch(/answered 404: Cannot POST/);
  expect(lastError).not.toMatch(secret);
});

test.each([
  ['signed by no authority', { left: 60 }, /SELF_SIGNED/],
  ['expired', { left: -1 }, /EXPIRED|SELF_SIGNED/],
])('a certificate that is %s: nothing is sent, and the cause is named', async (_, wanted, cause) => {
  const { pem, key } = certificateWith(new Date(), { ...wanted, names: ['localhost'] });
  const secure = createTlsServer({ cert: pem, key }, (request, response) => {
    received.push({ url: request.url ?? '', body: { title: '' } });
    response.end('{}');
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const channel = channelAt(`ntfys://localhost:${(secure.address() as AddressInfo).port}/secret-topic`);
  store.channels.use([channel]);
  failed('one');
  await deliveryTo(channel).deliverDue();
  await new Promise((resolve) => secure.close(resolve));
  const { pending, refused, lastError } = store.channels.of(channel.id).state();
  expect([pending, refused, received]).toEqual([1, 0, []]);
  expect(lastError).toMatch(cause);
  expect(lastError).not.toContain('secret-topic');
});

test('Retry-After is seconds or a date, an hour at most', () => {
  const now = new Date('2026-01-05T03:00:00Z');
  expect(
    ['7', 'Mon, 05 Jan 2026 03:00:30 GMT', '999999', '-3', 'soon', null].map((each) => readRetryAfter(each, now)),
  ).toEqual([...[7000, 30_000, 3_600_000, 0, 0, 0]]);
});
