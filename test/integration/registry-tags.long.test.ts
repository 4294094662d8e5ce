import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistryTags } from '../../src/adapters/docker/registry/tags';
import { TAG_LISTING } from '../../src/domain/bounds';

jest.setTimeout(60_000);

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let host: string;
let config: string;
let handle: Handler;
let requests: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
      handle(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
  config = mkdtempSync(join(tmpdir(), 'docker-config-'));
});
afterEach(() => rmSync(config, { recursive: true }));

const login = (auth: object): void =>
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [host]: auth } }));
const tags = (withinMs?: number): Promise<string[]> =>
  createRegistryTags({ dockerConfigDir: config, ...(withinMs === undefined ? {} : { withinMs }) }).tags(
    `${host}/forge/app:1.0`,
  );

function json(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** As Docker Hub does: a challenge that leads to another address for a token, which then opens the list. */
const tokenService =
  (token: (request: IncomingMessage, body: string) => string | null): Handler =>
  (request, response, body) => {
    if (request.url?.startsWith('/token')) {
      const given = token(request, body);
      return given === null ? json(response, {}, 401) : json(response, { token: given });
    }
    if (request.headers.authorization === 'Bearer let-me') return json(response, { name: 'forge/app', tags: ['1.0'] });
    const challenge = `Bearer realm="http://${host}/token",service="registry.test",scope="repository:forge/app:pull,push"`;
    json(response, {}, 401, { 'WWW-Authenticate': challenge });
  };

test('lists all pages, as the Link header leads', async () => {
  handle = (request, response) => {
    const last = new URL(request.url ?? '', `http://${host}`).searchParams.get('last');
    if (last === null)
      return json(response, { tags: ['1.0', '1.1'] }, 200, {
        Link: '</v2/forge/app/tags/list?n=2&last=1.1>; rel="next"',
      });
    json(response, { tags: ['1.2'] });
  };
  await expect(tags()).resolves.toEqual(['1.0', '1.1', '1.2']);
});

test('a repository without tags has none', async () => {
  handle = (_request, response) => json(response, { name: 'forge/app', tags: null });
  await expect(tags()).resolves.toEqual([]);
});

test('fetches a token anonymously where the registry asks for one', async () => {
  handle = tokenService(() => 'let-me');
  await expect(tags()).resolves.toEqual(['1.0']);
  expect(requests[1]).toBe('GET /token?service=registry.test&scope=repository%3Aforge%2Fapp%3Apull%2Cpush -');
});

test('logs in for the token with the credentials of the Docker client', async () => {
  login({ auth: Buffer.from('me:pass:word').toString('base64') });
  const basic = `Basic ${Buffer.from('me:pass:word').toString('base64')}`;
  handle = tokenService(({ headers }) => (headers.authorization === basic ? 'let-me' : null));
  await expect(tags()).resolves.toEqual(['1.0']);
});

test('exchanges an identity token', async () => {
  login({ identitytoken: 'long-lived' });
  handle = tokenService(({ method }, body) => {
    const form = new URLSearchParams(body);
    const right =
      method === 'POST' && form.get('refresh_token') === 'long-lived' && form.get('service') === 'registry.test';
    return right ? 'let-me' : null;
  });
  await expect(tags()).resolves.toEqual(['1.0']);
});

test('sends Basic where that is asked for', async () => {
  login({ auth: Buffer.from('me:secret').toString('base64') });
  handle = ({ headers }, response) =>
    headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`
      ? json(response, { tags: ['1.0'] })
      : json(response, {}, 401, { 'WWW-Authenticate': 'Basic realm="registry"' });
  await expect(tags()).resolves.toEqual(['1.0']);
});

test('keeps only what can be compared with the own tag', async () => {
  const others = ['latest', '1.0-alpine', 'x'.repeat(200), 7, null, { tag: '1.2' }, '1.0.1'];
  handle = (_request, response) => json(response, { tags: ['1.0', '0.9', ...others, '2.0'] });
  await expect(tags()).resolves.toEqual(['1.0', '0.9', '2.0']);
});

describe('a hostile registry', () => {
  const more = '</v2/forge/app/tags/list>; rel="next"';
  const endless =
    (page: (count: number) => string[]): Handler =>
    (_request, response) =>
      json(response, { tags: page(requests.length) }, 200, { Link: more });

  test('pages of tags without end are bounded in their count', async () => {
    handle = endless((count) => Array.from({ length: 5_000 }, (_, i) => `page-${count}-${i}`));
    await expect(tags()).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining('more than 100000 tags'),
    });
    expect(requests.length).toBeLessThanOrEqual(TAG_LISTING.tags / 5_000 + 1);
  });

  test('and in their bytes', async () => {
    handle = (_request, response) => json(response, { tags: [], pad: 'x'.repeat(1024 * 1024) }, 200, { Link: more });
    await expect(tags()).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining('larger than 16 MiB'),
    });
    expect(requests.length).toBeLessThanOrEqual(17);
  });

  test('and in what is kept of them', async () => {
    handle = endless((count) => Array.from({ length: 2_000 }, (_, i) => `${count}.${i}`));
    await expect(tags()).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining('more than 10000 of its tags can be compared'),
    });
  });

  test('a token without end is not read', async () => {
    handle = tokenService(() => 'x'.repeat(1024 * 1024));
    await expect(tags()).rejects.toMatchObject({
      code: 'registry_refused',
      message: expect.stringContaining('larger than 64 KiB'),
    });
  });

  test('a token that would break the header is none', async () => {
    handle = tokenService(() => 'a\r\nHost: evil.example');
    await expect(tags()).rejects.toMatchObject({ message: expect.stringContaining('returned no token') });
  });
});

describe('where a registry may lead its clients', () => {
  /** Answers as an internal service that knows nothing of registries: what it says would come back as a bearer token. */
  let internal: Server;
  let asked: string[];
  let internalHost: string;
  beforeAll(async () => {
    internal = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      json(response, { token: 'secret-of-the-internal-service', tags: ['6.6'] });
    });
    await new Promise<void>((resolve) => internal.listen(0, '127.0.0.2', resolve));
    internalHost = `127.0.0.2:${(internal.address() as AddressInfo).port}`;
  });
  afterAll(() => void internal.close().closeAllConnections());
  beforeEach(() => (asked = []));

  const leadsTo =
    (location: () => string, status = 302): Handler =>
    (_request, response) =>
      void response.writeHead(status, { Location: location() }).end();
  const challenged =
    (realm: () => string, token: Handler = () => undefined): Handler =>
    (request, response, body) =>
      request.url?.startsWith('/token')
        ? token(request, response, body)
        : json(response, {}, 401, { 'WWW-Authenticate': `Bearer realm="${realm()}",service="registry.test"` });
  const own = (): string => `http://${host}/token`;

  test.each<[string, Handler, RegExp]>([
    [
      'a list is redirected to an internal service',
      leadsTo(() => `http://${internalHost}/`),
      /127\.0\.0\.2.*neither on the public/,
    ],
    [
      'a list is redirected to the metadata service',
      leadsTo(() => 'https://169.254.169.254/latest'),
      /169\.254\.169\.254/,
    ],
    ['a list is redirected to a mapped address', leadsTo(() => 'https://[::ffff:10.0.0.1]/'), /::ffff/],
    ['a list is redirected to a private host without TLS', leadsTo(() => 'http://10.0.0.1/'), /without TLS/],
    ['a list is redirected for ever', leadsTo(() => `http://${host}/again`), /redirects do not end/],
    ['a token service is internal', challenged(() => `http://${internalHost}/token`), /127\.0\.0\.2.*neither/],
    [
      'a token service redirects to an internal one',
      challenged(
        own,
        leadsTo(() => `http://${internalHost}/`),
      ),
      /redirect/,
    ],
    ['a token service redirects to itself', challenged(own, leadsTo(own)), /redirect/],
  ])('%s: refused, and nothing internal is asked', async (_what, handler, message) => {
    handle = handler;
    await expect(tags()).rejects.toMatchObject({ code: 'registry_refused', message: expect.stringMatching(message) });
    expect(asked).toEqual([]);
  });

  test('a question for a token with a body is not redirected either', async () => {
    login({ identitytoken: 'long-lived' });
    handle = challenged(
      own,
      leadsTo(() => `http://${host}/elsewhere`, 307),
    );
    await expect(tags()).rejects.toMatchObject({ message: expect.stringContaining('not followed') });
    expect(requests.filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  test('a redirect to the registry itself is followed', async () => {
    handle = (request, response) =>
      request.url?.startsWith('/moved')
        ? json(response, { tags: ['1.0'] })
        : leadsTo(() => '/moved')(request, response, '');
    await expect(tags()).resolves.toEqual(['1.0']);
  });
});

describe('tells what is wrong', () => {
  const challenge =
    (words: string): Handler =>
    (_request, response) =>
      json(response, {}, 401, { 'WWW-Authenticate': words });
  test.each<[string, Handler, string, RegExp]>([
    ['a login that is not accepted', tokenService(() => null), 'registry_refused', /does not accept the login/],
    ['no login where one is wanted', challenge('Basic realm="x"'), 'registry_refused', /requires a login/],
    [
      'a token service without TLS',
      challenge('Bearer realm="http://tokens.invalid/"'),
      'registry_refused',
      /without TLS/,
    ],
    ['a repository that is not there', (_r, response) => json(response, {}, 404), 'registry_refused', /answers 404/],
    [
      'a rate limit',
      (_r, response) => json(response, {}, 429, { 'Retry-After': '60' }),
      'registry_unreachable',
      /limits requests now\. Retry after 60 s\.$/,
    ],
    ['a broken registry', (_r, response) => json(response, {}, 503), 'registry_unreachable', /status 503/],
    [
      'an answer that is no list',
      (_r, response) => void response.end('<html>'),
      'registry_unreachable',
      /no list of tags/,
    ],
    ['a cut connection', (_r, response) => void response.destroy(), 'registry_unreachable', /does not answer/],
    [
      'an answer without end',
      (_r, response) => void response.end(Buffer.alloc(9 * 1024 * 1024)),
      'registry_refused',
      /larger than 2 MiB/,
    ],
    [
      'a next page elsewhere',
      (_r, response) => json(response, { tags: [] }, 200, { Link: '<http://elsewhere.invalid/>; rel="next"' }),
      'registry_refused',
      /elsewhere\.invalid/,
    ],
  ])('%s', async (_what, handler, code, message) => {
    handle = handler;
    await expect(tags()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a registry that hangs', async () => {
    handle = () => undefined;
    await expect(tags(200)).rejects.toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringContaining('too long'),
    });
  });

  test('pages that lead in a circle', async () => {
    handle = (_request, response) =>
      json(response, { tags: ['1.0'] }, 200, { Link: '</v2/forge/app/tags/list>; rel="next"' });
    await expect(tags()).rejects.toMatchObject({ code: 'registry_refused' });
    expect(requests).toHaveLength(200);
  });
});
