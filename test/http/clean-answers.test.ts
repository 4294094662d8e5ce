import { API_TOKEN, startHttp, type RunningHttp } from '../support/http-app';
import { send, sendBytes } from '../support/send';

let http: RunningHttp;
beforeEach(async () => {
  http = await startHttp();
});
afterEach(() => http.stop());

const TOKEN: [string, string] = ['Authorization', `Bearer ${API_TOKEN}`];
const ask = (method: string, url: string, headers: [string, string][] = [TOKEN]) =>
  send(http.port, { method, url, headers });

test.each([
  ['/', 401, 'page'],
  ['/nothing', 404],
  ['//updates', 404],
  ['/updates//', 404],
  ['/webhooks', 404],
  ['/webhooks/diun/more', 404],
  ['/approvals/token', 404, 'page'],
  ['/approvals/token/more', 404],
  ['/assets/none.js', 404],
  ['/../../etc/passwd', 404],
  ['/updates/%E0%A4%A', 400],
  ['/updates/%', 400],
  ['/health/', 404],
  ['/updates/', 404],
  ['/Updates', 404],
  ['/__proto__', 404],
  ['/updates?__proto__=1', 400],
])('GET %s is %i', async (url, status, kind = 'json') => {
  const answer = await ask('GET', url, kind === 'page' ? [] : [TOKEN]);
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(kind === 'page' ? /^text\/html/ : /^application\/json/);
  if (kind === 'page') return;
  if (status >= 400) expect(answer.json()).toEqual({ error: expect.objectContaining({ code: expect.any(String) }) });
});

test.each([
  ['DELETE', '/updates', 'GET, HEAD, POST'],
  ['PUT', '/updates/1', 'GET, HEAD'],
  ['POST', '/health', 'GET, HEAD'],
  ['PATCH', '/backups', 'GET, HEAD, POST'],
])('%s %s is 405 with Allow', async (method, url, allow) => {
  const answer = await ask(method, url);
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe(allow);
  expect(answer.json().error.message).toContain(allow);
});

test('OPTIONS tells the methods', async () => {
  const answer = await ask('OPTIONS', '/updates', []);
  expect(answer.status).toBe(204);
  expect(answer.headers.allow).toBe('GET, HEAD, POST');
});

test.each([
  ['without a host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['with an expectation', 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: more\r\nConnection: close\r\n\r\n', 200],
])('a request %s is answered in words', async (_what, bytes, status) => {
  const answer = await sendBytes(http.port, bytes);
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(answer).toMatch(status === 200 ? /"checks"/ : /"code":"invalid_request".*Host/);
});

test.each(['/updates', '/backups', '/renewals', '/'])(
  '%s with a query that is encoded wrongly is a 400',
  async (url) => {
    for (const query of ['container=%E0%A4%A', 'limit=%', '%zz=1']) {
      const answer = await ask('GET', `${url}?${query}`, [TOKEN, ['Accept', 'application/json']]);
      expect([answer.status, answer.json().error.code]).toEqual([400, 'invalid_request']);
    }
  },
);

test('HEAD answers as GET does, without the body', async () => {
  const answer = await ask('HEAD', '/health', []);
  expect([answer.status, answer.text]).toEqual([200, '']);
  expect((await ask('HEAD', '/updates', [])).status).toBe(401);
});

test('headers larger than Node takes are 431 in the shape of every error', async () => {
  const answer = await sendBytes(http.port, `GET /health HTTP/1.1\r\nHost: x\r\nX-Huge: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(answer).toContain('"code":"invalid_request"');
});

test('CONNECT is refused: this is no proxy', async () => {
  expect(await sendBytes(http.port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
});

test('every answer forbids a browser everything, is not kept, and does not tell what it is made of', async () => {
  for (const url of ['/health', '/updates', '/nothing', '/openapi.json']) {
    const { headers } = await ask('GET', url);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('strict-transport-security');
  }
});

test('behind https the browser is told to stay there', async () => {
  const secure = await startHttp({ publicUrl: 'https://pilot.example.org' });
  try {
    const { headers } = await send(secure.port, { method: 'GET', url: '/health' });
    expect(headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  } finally {
    await secure.stop();
  }
});

test('no token and no query is in the log, wherever it was sent', async () => {
  await ask('GET', '/updates?container=query-secret');
  await ask('GET', '/path-secret');
  await ask('GET', '/updates', [['Authorization', 'Bearer header-secret']]);
  expect(JSON.stringify(http.lines)).not.toMatch(/secret|api-token/);
  expect(http.lines.filter((line) => line.message === 'request')).toMatchObject([
    { method: 'GET', route: '/updates', status: 200 },
    { method: 'GET', route: 'unmatched', status: 404 },
    { method: 'GET', route: '/updates', status: 401 },
  ]);
});
