import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import { diunRequest } from '../support/diun-requests';
import { eventually } from '../support/eventually';
import { receiveTogether } from '../../src/http/routes/webhook';
import { asDiun, startHttp, type RunningHttp } from '../support/http-app';
import { send, sendBytes } from '../support/send';

const UPDATE = diunRequest('update-same-tag-first-container');
const BODY = JSON.parse(UPDATE.body) as Record<string, unknown>;
const AUTHORIZATION: [string, string] = ['Authorization', asDiun.Authorization];
let http: RunningHttp;
beforeEach(async () => {
  http = await startHttp();
});
afterEach(() => http.stop());

const post = (body: string | Buffer, headers: [string, string][] = []) =>
  send(http.port, { method: 'POST', url: '/webhooks/diun', headers: [AUTHORIZATION, ...headers], body });

describe('a body that is no notification is answered 400 with the reason, and is kept for the operator', () => {
  test.each([
    ['empty', '', 'invalid_body', /empty/],
    ['not JSON', '{"image": ', 'invalid_body', /not JSON/],
    ['a list', '[]', 'invalid_request', /body/],
    ['null', 'null', 'invalid_request', /body/],
    ['without a digest', JSON.stringify({ ...BODY, digest: undefined }), 'invalid_request', /digest/],
    ['with a short digest', JSON.stringify({ ...BODY, digest: 'sha256:abc' }), 'invalid_request', /digest/],
    ['with an image that is none', JSON.stringify({ ...BODY, image: 'UPPER CASE' }), 'invalid_request', /image/],
    ['with an unknown status', JSON.stringify({ ...BODY, status: 'gone' }), 'invalid_request', /status/],
  ])('%s', async (_what, body, code, message) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.json().error.code).toBe(code);
    expect(answer.json().error.message).toMatch(message);
    expect(answer.json().error.details).toMatchObject({ field: expect.any(String), reason: expect.any(String) });
    expect(http.store.inbox.recent(1)).toMatchObject([{ status: 'rejected', body }]);
  });

  test('invalid UTF-8, as far as it can be read', async () => {
    const answer = await post(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
    expect(answer.status).toBe(400);
    expect(answer.json().error).toMatchObject({
      code: 'invalid_body',
      message: expect.stringContaining('UTF-8'),
      details: { field: 'body', reason: expect.stringContaining('UTF-8') },
    });
    expect(http.store.inbox.recent(1)).toMatchObject([{ status: 'rejected', body: '{"\uFFFD\uFFFD"}' }]);
  });
});

describe('the limit of 64 KiB', () => {
  const padded = (bytes: number): string => {
    const empty = JSON.stringify({ ...BODY, padding: '' });
    return JSON.stringify({ ...BODY, padding: 'x'.repeat(bytes - Buffer.byteLength(empty)) });
  };

  test('a body of exactly 64 KiB is accepted', async () => {
    expect((await post(padded(65_536))).status).toBe(202);
  });

  test.each([['with Content-Length', 65_537] as const, ['65 KiB', 65 * 1024] as const])(
    'one larger is 413: %s',
    async (_what, bytes) => {
      const body = padded(bytes);
      const answer = await post(body, [['Content-Length', String(bytes)]]);
      expect(answer.status).toBe(413);
      expect(answer.json().error.code).toBe('body_too_large');
      expect(http.store.inbox.recent(1)).toEqual([]);
    },
  );

  test('413 for one sent in chunks without an end, as soon as it is too large', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const endless = request(
        { host: '127.0.0.1', port: http.port, method: 'POST', path: '/webhooks/diun', headers: asDiun },
        (response) => {
          resolve(response.statusCode);
          endless.destroy();
        },
      );
      endless.on('error', reject);
      endless.write(Buffer.alloc(66_000, 'x')); // and no end()
    });
    expect(status).toBe(413);
  });

  test('a compressed body is refused instead of unpacked, and kept', async () => {
    const answer = await post('x', [['Content-Encoding', 'gzip']]);
    expect(answer.status).toBe(400);
    expect(answer.json().error).toMatchObject({ code: 'invalid_body', details: { field: 'body' } });
    expect(answer.json().error.message).toContain('Content-Encoding');
    expect(http.store.inbox.recent(1)).toMatchObject([{ status: 'rejected', body: 'x' }]);
  });

  test.each(['identity', 'Identity', ''])('Content-Encoding: %s is none', async (encoding) => {
    expect((await post(UPDATE.body, [['Content-Encoding', encoding]])).status).toBe(202);
  });
});

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])('%s is 405 with Allow: POST', async (method) => {
  const answer = await send(http.port, { method, url: '/webhooks/diun', headers: [AUTHORIZATION] });
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe('POST');
});

test('a body that is cut by the sender is not stored and does not hurt', async () => {
  const slow = request({
    host: '127.0.0.1',
    port: http.port,
    method: 'POST',
    path: '/webhooks/diun',
    headers: { ...asDiun, 'Content-Length': '500' },
  });
  slow.on('error', () => undefined);
  slow.write(UPDATE.body.slice(0, 100));
  await new Promise((resolve) => slow.once('socket', (socket) => socket.once('connect', resolve)));
  slow.destroy();
  await eventually('the cut request is in the log', () => http.lines.some((line) => line.aborted === true));
  expect(http.store.inbox.recent(1)).toEqual([]);
  expect((await post(UPDATE.body)).status).toBe(202);
});

test('a body that arrives byte by byte is accepted', async () => {
  const bytes = Buffer.from(UPDATE.body);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const slow = request(
      { host: '127.0.0.1', port: http.port, method: 'POST', path: '/webhooks/diun', headers: asDiun },
      (response) => resolve(response.statusCode),
    );
    slow.on('error', reject);
    const next = (index: number): void => {
      if (index === bytes.length) slow.end();
      else slow.write(bytes.subarray(index, index + 1), () => setImmediate(next, index + 1));
    };
    next(0);
  });
  expect(status).toBe(202);
});

test('a promise of durability is not given when the database cannot store: 5xx, never 202', async () => {
  const closed = createSqliteStore({ path: ':memory:', clock: systemClock });
  closed.close();
  const broken = await startHttp({ receiveWebhook: receiveTogether(closed, () => undefined) });
  try {
    const answer = await send(broken.port, UPDATE);
    expect(answer.status).toBe(500);
    expect(answer.json().error).toMatchObject({ code: 'internal_error', details: { requestId: expect.any(String) } });
    expect(answer.text).not.toMatch(/database connection|\.ts|node_modules/);
    expect(broken.lines).toContainEqual(
      expect.objectContaining({ level: 'error', requestId: answer.json().error.details.requestId }),
    );
  } finally {
    await broken.stop();
  }
});

test('10,000 random bodies: 202, 400 or 413, never a 5xx', async () => {
  const memory = createSqliteStore({ path: ':memory:', clock: systemClock });
  const many = await startHttp({ store: memory, receiveWebhook: receiveTogether(memory, () => undefined) });
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.constant(undefined));
  const mutated = fc.record({ key: fc.constantFrom(...Object.keys(BODY)), value }).map(({ key, value: changed }) => {
    return Buffer.from(JSON.stringify({ ...BODY, [key]: changed }));
  });
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    mutated,
  );
  try {
    const statuses = new Map<number, number>();
    const batch = fc.array(bodies, { minLength: 100, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(batch, async (all) => {
        const answers = await Promise.all(
          all.map((body) =>
            send(many.port, { method: 'POST', url: '/webhooks/diun', headers: [AUTHORIZATION], body, agent }),
          ),
        );
        for (const { status } of answers) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          expect([202, 400, 413]).toContain(status);
        }
      }),
      { numRuns: 100, endOnFailure: true },
    );
    expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(10_000);
    expect(statuses.get(202)).toBeGreaterThan(0);
    expect(statuses.get(400)).toBeGreaterThan(0);
  } finally {
    agent.destroy();
    await many.stop();
    memory.close();
  }
});

test('what is not HTTP is answered 400 in the shape of every error', async () => {
  const answer = await sendBytes(http.port, 'HELLO\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('{"error":{"code":"invalid_request"');
});
