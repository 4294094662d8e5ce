import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { diunRequest, diunRequestNames } from '../support/diun-requests';
import { OLD_WEBHOOK_TOKEN, startHttp, WEBHOOK_TOKEN, type RunningHttp } from '../support/http-app';
import { send } from '../support/send';

const UPDATE = diunRequest('update-same-tag-first-container');
let http: RunningHttp;
beforeEach(async () => {
  http = await startHttp();
});
afterEach(() => http.stop());

const post = (body: string | Buffer, headers: [string, string][] = [['Authorization', `Bearer ${WEBHOOK_TOKEN}`]]) =>
  send(http.port, { method: 'POST', url: '/webhooks/diun', headers, body });

test("the README's example: what curl posts as Diun does is answered 202 and is on the disk", async () => {
  const { stdout } = await promisify(execFile)('curl', [
    '--silent',
    '--show-error',
    '--header',
    `Authorization: Bearer ${WEBHOOK_TOKEN}`,
    '--data',
    UPDATE.body,
    `${http.url}/webhooks/diun`,
  ]);
  const answer = JSON.parse(stdout) as { webhook: string };
  expect(answer).toEqual({ webhook: expect.any(String), duplicate: false });
  expect(http.store.inbox.pending(10)).toMatchObject([{ id: answer.webhook, status: 'pending', body: UPDATE.body }]);
});

describe('every recorded request of the real Diun', () => {
  test.each(diunRequestNames().filter((name) => name !== 'default-method-get'))('%s: 202, kept raw', async (name) => {
    const recorded = diunRequest(name);
    const answer = await send(http.port, recorded);
    expect(answer.status).toBe(202);
    expect(answer.json()).toEqual({ webhook: expect.any(String), duplicate: false });
    expect(http.store.inbox.recent(1)).toMatchObject([{ status: 'pending', body: recorded.body }]);
  });

  test('default-method-get: 405 with Allow and the one line that mends it', async () => {
    const answer = await send(http.port, diunRequest('default-method-get'));
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
    expect(answer.json().error.code).toBe('method_not_allowed');
    expect(answer.json().error.message).toContain('method: POST');
    expect(answer.json().error.message).toContain('authorization');
    expect(answer.json().error.message).not.toContain('\n');
    expect(http.store.inbox.recent(1)).toEqual([]);
  });

  test.each(diunRequestNames().filter((name) => name !== 'default-method-get'))(
    '%s with a wrong token: 401, not kept, and how to mend it',
    async (name) => {
      const recorded = diunRequest(name);
      const headers = recorded.headers.map(([key, value]): [string, string] => [
        key,
        key === 'Authorization' ? 'Bearer wrong-token' : value,
      ]);
      const answer = await send(http.port, { ...recorded, headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(answer.json().error.message).toContain('notif.webhook.headers.authorization');
      expect(http.store.inbox.recent(1)).toEqual([]);
    },
  );

  test('two containers on one image give two requests; the second is told to be a duplicate', async () => {
    const answers = [
      await send(http.port, diunRequest('update-same-tag-first-container')),
      await send(http.port, diunRequest('update-same-tag-second-container')),
    ];
    expect(answers.map((answer) => answer.json().duplicate)).toEqual([false, true]);
    expect(http.store.inbox.pending(10)).toHaveLength(1);
  });
});

test.each([
  ['a link that is too long', { hub_link: `https://example.org/${'x'.repeat(4000)}` }],
  ['a link that is no text', { hub_link: 5 }],
  ['a link that is no address', { hub_link: 'javascript:1' }],
  ['no provider', { provider: undefined }],
  ['a provider that is no text', { provider: null }],
])('a field that is not needed loses no event: %s', async (_, change) => {
  const body = { ...(JSON.parse(UPDATE.body) as object), hub_link: '', ...change };
  expect((await post(JSON.stringify(body))).status).toBe(202);
  expect(http.store.inbox.pending(10)).toMatchObject([{ event: { releaseNotes: null } }]);
});

describe('the token', () => {
  test.each([
    ['Bearer', `Bearer ${WEBHOOK_TOKEN}`],
    ['bearer in small letters', `bearer ${WEBHOOK_TOKEN}`],
    ['bare', WEBHOOK_TOKEN],
    ['the second one of a rotation', `Bearer ${OLD_WEBHOOK_TOKEN}`],
  ])('is accepted as %s', async (_form, authorization) => {
    const answer = await post(UPDATE.body, [['Authorization', authorization]]);
    expect(answer.status).toBe(202);
  });

  test.each([
    ['empty', ''],
    ['only the word', 'Bearer'],
    ['a beginning of it', `Bearer ${WEBHOOK_TOKEN.slice(0, -1)}`],
    ['more than it', `Bearer ${WEBHOOK_TOKEN}x`],
    ['Basic', `Basic ${Buffer.from(`x:${WEBHOOK_TOKEN}`).toString('base64')}`],
    ['both of a rotation at once', `Bearer ${WEBHOOK_TOKEN},${OLD_WEBHOOK_TOKEN}`],
  ])('is refused when %s', async (_form, authorization) => {
    const answer = await post(UPDATE.body, [['Authorization', authorization]]);
    expect(answer.status).toBe(401);
  });

  test('is refused when it is missing, before the body is read', async () => {
    const answer = await send(http.port, { method: 'POST', url: '/webhooks/diun', body: Buffer.alloc(70_000, 'x') });
    expect(answer.status).toBe(401);
    expect(http.store.inbox.recent(1)).toEqual([]);
  });

  test('is in no line of the log, whether right or wrong', async () => {
    await post(UPDATE.body);
    await post(UPDATE.body, [['Authorization', 'Bearer wrong-token']]);
    await post(UPDATE.body, [['Authorization', 'bare-wrong-token']]);
    expect(JSON.stringify(http.lines)).not.toMatch(/recorded-token|wrong-token/);
    expect(http.lines.filter((line) => line.route === '/webhooks/diun').map((line) => line.status)).toEqual([
      202, 401, 401,
    ]);
  });

  test('a right one is never held back, however many wrong ones came from the address', async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 150; i++) statuses.add((await post('{}', [['Authorization', 'wrong']])).status);
    expect([...statuses]).toEqual([401, 429]);
    expect((await post(UPDATE.body)).status).toBe(202);
  });
});

test.each([
  ['text/plain; charset=iso-8859-1', UPDATE.body],
  ['application/x-www-form-urlencoded', UPDATE.body],
  ['application/json; charset=nonsense', UPDATE.body],
  ['not a type', `\uFEFF${UPDATE.body}`],
])('the body is JSON whatever its Content-Type says: %s', async (type, body) => {
  const answer = await post(body, [
    ['Authorization', `Bearer ${WEBHOOK_TOKEN}`],
    ['Content-Type', type],
  ]);
  expect(answer.status).toBe(202);
});
