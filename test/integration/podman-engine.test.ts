import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import type { Engine } from '../../src/ports/engine';
import { json, startEngineServer, type EngineServer } from '../support/engine-server';

// What Podman answers in another way than Docker (docs/podman.md). e2e/podman has the real one.
const DIGEST = `sha256:${'a'.repeat(64)}`;
let server: EngineServer;
let engine: Engine;
let registry: Server;
let host: string;
let asked: string[];
let answer: { status: number; headers: Record<string, string> };

beforeAll(async () => {
  registry = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(answer.status, answer.headers).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
});
afterAll(() => void registry.close().closeAllConnections());

beforeEach(async () => {
  asked = [];
  answer = { status: 200, headers: { 'Docker-Content-Digest': DIGEST } };
  server = await startEngineServer();
  server.apiVersion = '1.41';
  server.pingHeaders = { 'Libpod-Api-Version': '5.4.2' };
  engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
});
afterEach(() => server.close());

describe('the digest of a tag', () => {
  it('is asked of the registry itself, by a request that is no pull', async () => {
    expect(await engine.registryDigest(`${host}/team/app:1.2`)).toBe(DIGEST);
    expect(asked).toEqual(['HEAD /v2/team/app/manifests/1.2']);
    expect(server.requests.filter((line) => line.includes('/distribution/'))).toEqual([]);
  });

  it.each([
    [404, {}, 'registry_refused'],
    [401, {}, 'registry_refused'],
    [429, { 'Retry-After': '60' }, 'registry_unreachable'],
    [503, {}, 'registry_unreachable'],
    [200, {}, 'registry_refused'],
    [200, { 'Docker-Content-Digest': 'sha256:short' }, 'registry_refused'],
  ])('is never made up: %d %j', async (status, headers, code) => {
    answer = { status, headers };
    await expect(engine.registryDigest(`${host}/team/app:1.2`)).rejects.toMatchObject({ code });
  });

  it('of a registry that is away is unreachable, and not missing', async () => {
    await expect(engine.registryDigest('127.0.0.1:1/team/app:1.2')).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
  });
});

it('an engine that is Docker is asked for the digest as before', async () => {
  server.pingHeaders = {};
  await engine.registryDigest(`${host}/team/app:1.2`).catch(() => undefined);
  expect(server.requests.at(-1)).toBe(`GET /v1.41/distribution/${host}/team/app:1.2/json`);
  expect(asked).toEqual([]);
});

async function archived(): Promise<string[]> {
  server.answers.set('/containers/x/archive', (_, response) => {
    const tar = pack();
    tar.entry({ name: '/', type: 'directory' });
    tar.entry({ name: '/a' }, 'content');
    tar.finalize();
    tar.pipe(response);
  });
  const names: string[] = [];
  const whole = await buffer(await engine.archive('x', '/data'));
  const entries = extract();
  entries.end(whole);
  for await (const entry of entries) {
    names.push(entry.header.name);
    entry.resume();
  }
  return names;
}

it('a health check that is off is no health, and one that runs is', async () => {
  const inspected = (Status: string) =>
    server.answers.set('/containers/x/json', (_, response) =>
      json(response, { State: { Status: 'running', Health: { Status } } }),
    );
  inspected('');
  expect((await engine.inspectContainer('x')).State).toEqual({ Status: 'running' });
  inspected('starting');
  expect((await engine.inspectContainer('x')).State.Health).toEqual({ Status: 'starting' });
});

it('the archive of a mount has the names that Docker gives', async () => {
  expect(await archived()).toEqual(['data/', 'data/a']);
  server.pingHeaders = {};
  engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
  expect(await archived()).toEqual(['/', '/a']);
});

it('an archive that is cut fails, too', async () => {
  server.answers.set('/containers/x/archive', (_, response) => {
    response.writeHead(200, { 'Content-Length': '5000' });
    response.write(Buffer.alloc(100));
    setTimeout(() => response.destroy(), 20);
  });
  const tar = await engine.archive('x', '/data');
  await expect(buffer(tar)).rejects.toMatchObject({ code: 'engine_unreachable' });
});
