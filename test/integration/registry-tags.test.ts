import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistryTags } from '../../src/adapters/docker/registry/tags';

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

describe('tells what is wrong', () => {
  const challenge =
    (words: string): Handler =>
    (_request, response) =>
      json(response, {}, 401, { 'WWW-Authenticate': words });
  test.each<[string, Handler, string, RegExp]>([
    ['a login that is not accepted', tokenService(() => null), 'registry_refused', /does not accept the login/],
    ['no login where one is wanted', challenge('Basic realm="x"'), 'registry_refused', /wants a login/],
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
      /patience, for 60 s/,
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
      'registry_unreachable',
      /without end/,
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
