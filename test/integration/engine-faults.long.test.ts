import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import type { Engine } from '../../src/ports/engine';
import { frame, json, startEngineServer, type EngineServer } from '../support/engine-server';

const DIGEST = `sha256:${'a'.repeat(64)}`;
let server: EngineServer;
let engine: Engine;

beforeEach(async () => {
  server = await startEngineServer();
  engine = createDockerEngine({ dockerHost: server.address, dockerConfigDir: null });
});

afterEach(() => server.close());

describe('an engine that is not there', () => {
  it('is engine_unreachable, with what to do, and no path of this machine', async () => {
    const nowhere = createDockerEngine({ dockerHost: 'unix:///nowhere/docker.sock', dockerConfigDir: null });
    const failure = await nowhere.version().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'engine_unreachable', message: expect.stringContaining('DOCKER_HOST') });
    expect((failure as Error).message).not.toContain('/nowhere');
  });

  it('is found again when it comes back, and spoken to in the version that it then has', async () => {
    server.answers.set('/containers/json', (_, response) => json(response, []));
    await engine.containerIds();
    const port = Number(new URL(server.address).port);
    await server.close();
    await expect(engine.containerIds()).rejects.toMatchObject({ code: 'engine_unreachable' });

    server = await startEngineServer(port);
    server.apiVersion = '1.43';
    server.answers.set('/containers/json', (_, response) => json(response, [{ Id: 'abc' }]));
    expect(await engine.containerIds()).toEqual(['abc']);
    expect(server.requests).toEqual(['GET /_ping', 'GET /v1.43/containers/json?all=true']);
  });

  it.each([
    [502, '{"message":"the engine does not answer"}'],
    [503, '<html><body><h1>503 Service Unavailable</h1>\nNo server is available.\n</body></html>\n'],
    [503, ''],
    [504, '<html>\r\n<head><title>504 Gateway Time-out</title></head>'],
  ])('is engine_unreachable, too, behind a proxy of the socket that finds none: %i %s', async (status, body) => {
    server.answers.set('/containers/json', (_, response) => response.writeHead(status).end(body));
    await expect(engine.containerIds()).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it.each([503, 504])('is not taken for one that answers %i itself, with its JSON', async (status) => {
    const message = 'This node is not a swarm manager.';
    server.answers.set('/containers/json', (_, response) => json(response, { message }, status));
    const refused = { code: 'engine_refused', message: `The Docker Engine refused: ${message}` };
    await expect(engine.containerIds()).rejects.toMatchObject(refused);
  });

  it('refuses an address that nobody can reach', () => {
    const make = () => createDockerEngine({ dockerHost: 'ssh://somewhere', dockerConfigDir: null });
    expect(make).toThrow(
      expect.objectContaining({ code: 'invalid_settings', message: expect.stringContaining('DOCKER_HOST') }),
    );
  });
});

it('creates nothing when a further network cannot be described', async () => {
  server.answers.set('/networks/back', (_, response) => {
    response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"message":"could not find plugin overlay9"}');
  });
  const [HostConfig, Image] = [{ NetworkMode: 'front', AutoRemove: false }, 'nginx'];
  const NetworkingConfig = { EndpointsConfig: { front: {}, back: {} } };
  const body = { Image, HostConfig, NetworkingConfig };
  await expect(engine.createContainer('web', { body, connect: [] })).rejects.toMatchObject({
    code: 'engine_refused',
    message: expect.stringContaining('could not find plugin overlay9'),
  });
  expect(server.requests.filter((line) => line.startsWith('POST'))).toEqual([]);
});

describe('the API version', () => {
  it('is asked once, and is the highest that both know', async () => {
    server.apiVersion = '1.99';
    server.answers.set('/containers/json', (_, response) => json(response, []));
    await Promise.all([engine.containerIds(), engine.containerIds()]);
    expect(server.requests.filter((line) => line === 'GET /_ping')).toHaveLength(1);
    expect(server.requests).toContain('GET /v1.56/containers/json?all=true');
  });

  it('refuses an engine that is too old, and says so', async () => {
    server.apiVersion = '1.40';
    await expect(engine.containerIds()).rejects.toMatchObject({
      code: 'engine_refused',
      message: expect.stringContaining('upgrade the engine'),
    });
  });
});

describe('a connection that is cut', () => {
  it.each([
    ['cut', (response: ServerResponse): unknown => response.socket?.destroy()],
    ['ended', (response: ServerResponse): unknown => response.end()],
  ])('is engine_unreachable for who listens to events, after all that came before it: %s', async (_, finish) => {
    server.answers.set('/events', (_request, response) => {
      const line = JSON.stringify({ Action: 'start', Actor: { ID: 'abc' } });
      response.write(line.slice(0, 9));
      setImmediate(() => response.write(`${line.slice(9)}\n`, () => setImmediate(() => finish(response))));
    });
    const seen: string[] = [];
    const listen = async (): Promise<void> => {
      const events = await engine.events(['start'], new AbortController().signal);
      for await (const { action, containerId } of events) seen.push(`${action} ${containerId}`);
    };
    await expect(listen()).rejects.toMatchObject({ code: 'engine_unreachable' });
    expect(seen).toEqual(['start abc']);
    expect(decodeURIComponent(server.requests.at(-1) ?? '')).toContain('{"type":["container"],"event":["start"]}');
  });

  it('rejects in the middle of an answer', async () => {
    server.answers.set('/containers/json', (_, response) => {
      response.writeHead(200, { 'Content-Length': '1000' }).write('[{"Id":');
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    await expect(engine.containerIds()).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('rejects in the middle of an error', async () => {
    server.answers.set('/containers/x/json', (_, response) => {
      response.writeHead(404, { 'Content-Length': '1000' }).write('{"message":');
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    await expect(engine.inspectContainer('x')).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('breaks an archive', async () => {
    server.answers.set('/containers/x/archive', (_, response) => {
      response.writeHead(200).write(Buffer.alloc(10_000));
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    const tar = await engine.archive('x', '/data');
    await expect(buffer(tar)).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('rejects while a tar is sent, and gives the tar up', async () => {
    server.answers.set('/containers/x/archive', (request) => {
      request.once('data', () => request.socket.resetAndDestroy());
    });
    const tar = Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(65_536)));
    await expect(engine.extract('x', '/data', tar)).rejects.toMatchObject({ code: 'engine_unreachable' });
    expect(tar.destroyed).toBe(true);
  });

  it('fails a sent tar with its own error when that breaks', async () => {
    server.answers.set('/containers/x/archive', (request) => request.resume());
    const broken = new Error('the storage is gone');
    const tar = new Readable({ read: () => undefined });
    setImmediate(() => tar.destroy(broken));
    await expect(engine.extract('x', '/data', tar)).rejects.toBe(broken);
  });
});

describe('a command whose connection breaks', () => {
  const inspected = (body: object): void =>
    void server.answers.set('/exec/e/json', (_, response) => json(response, body));

  beforeEach(() => {
    server.answers.set('/containers/x/exec', (_, response) => json(response, { Id: 'e' }, 201));
    inspected({ Running: false, ExitCode: 0 });
  });

  it('breaks the output when it is reset inside a frame', async () => {
    server.upgrades.set('/exec/e/start', (connection) => {
      connection.write(frame(1, 'some', 100), () => setImmediate(() => connection.resetAndDestroy()));
    });
    await expect(buffer(await engine.execOutput('x', ['dump']))).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('fails with the error of an input that broke before there was a command to feed', async () => {
    server.upgrades.set('/exec/e/start', () => undefined);
    const broken = new Error('the storage is gone');
    const input = new Readable({ read: () => undefined });
    input.destroy(broken);
    await expect(engine.execInput('x', ['restore'], input)).rejects.toBe(broken);
  });

  it('breaks the output when it ends inside a frame, although the exit code is 0', async () => {
    server.upgrades.set('/exec/e/start', (connection) => void connection.end(frame(1, 'some', 100)));
    await expect(buffer(await engine.execOutput('x', ['dump']))).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('breaks the output when the engine is gone before it tells the exit code', async () => {
    server.upgrades.set('/exec/e/start', (connection) => void connection.end(frame(1, 'whole')));
    server.answers.set('/exec/e/json', (_, response) => response.socket?.resetAndDestroy());
    await expect(buffer(await engine.execOutput('x', ['dump']))).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('ends the output only after the exit code is known', async () => {
    let asked = 0;
    server.upgrades.set('/exec/e/start', (connection) => void connection.end(frame(1, 'whole')));
    server.answers.set('/exec/e/json', (_, response) =>
      json(response, ++asked < 3 ? { Running: true, ExitCode: null } : { Running: false, ExitCode: 0 }),
    );
    expect((await buffer(await engine.execOutput('x', ['dump']))).toString()).toBe('whole');
    expect(asked).toBe(3);
  });

  it('rejects a command that runs to its end elsewhere', async () => {
    server.upgrades.set('/exec/e/start', (connection) => {
      connection.write(frame(2, 'some', 100), () => setImmediate(() => connection.resetAndDestroy()));
    });
    await expect(engine.exec('x', ['true'])).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('puts frames together that come byte by byte', async () => {
    const content = Buffer.concat([frame(1, 'one '), frame(2, 'error'), frame(1, 'two')]);
    server.upgrades.set('/exec/e/start', (connection) => {
      connection.setNoDelay(true);
      for (const byte of content) connection.write(Buffer.from([byte]));
      connection.end();
    });
    expect(await engine.exec('x', ['true'])).toEqual({ exitCode: 0, stdout: 'one two', stderr: 'error' });
  });

  it('does not read ahead of a slow reader', async () => {
    const part = frame(1, Buffer.alloc(65_536));
    let written = 0;
    server.upgrades.set('/exec/e/start', (connection) => {
      const write = (): void => {
        for (let more = true; more && written < 2000; written++) more = connection.write(part);
        if (written < 2000) connection.once('drain', write);
        else connection.end();
      };
      write();
    });
    const output = await engine.execOutput('x', ['dump']);
    for (let seen = -1, still = 0; still < 100; seen = written) {
      await new Promise((resolve) => setImmediate(resolve));
      still = written === seen ? still + 1 : 0;
    }
    expect(written).toBeLessThan(500);
    expect((await buffer(output)).length).toBe(2000 * 65_536);
  });
});

describe('a pull', () => {
  const pull = (): Promise<string> => engine.pull(`nginx@${DIGEST}`, () => undefined);
  const lines = (...told: object[]): string => told.map((line) => `${JSON.stringify(line)}\r\n`).join('');

  it('fails on an error line inside an answer of 200', async () => {
    server.answers.set('/images/create', (_, response) => {
      response.end(
        lines({ status: 'Pulling' }, { errorDetail: { message: 'no space' }, error: 'no space left on device' }),
      );
    });
    await expect(pull()).rejects.toMatchObject({
      code: 'pull_failed',
      message: expect.stringContaining('no space left'),
    });
  });

  it.each([
    ['no space left on device', /The engine's disk is full: `docker image prune -a`/],
    ['filesystem layer verification failed for digest sha256:97aeb', /sent content that does not match the digest/],
    ['unknown blob', /does not have all parts of the image/],
    ['unexpected EOF', /Check the registry, and the engine's network/],
    ['received unexpected HTTP status: 500 Internal Server Error', /Check the registry/],
    ['toomanyrequests: You have reached your pull rate limit.', /limit\. The registry limits pulls without a login/],
    ['pull access denied for nginx', /Check the login/],
    ['tls: failed to verify certificate: x509: certificate signed by unknown authority', /does not trust/],
  ])('tells what to do: %s', async (words, remedy) => {
    server.answers.set('/images/create', (_, response) => void response.end(lines({ error: words })));
    await expect(pull()).rejects.toMatchObject({ code: 'pull_failed', message: expect.stringMatching(remedy) });
  });

  it('fails when its answer is cut between two lines', async () => {
    server.answers.set('/images/create', (_, response) => {
      response.write(lines({ status: 'Pulling' }));
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    await expect(pull()).rejects.toMatchObject({ code: 'engine_unreachable' });
  });

  it('tells the bytes over all layers, downloads only', async () => {
    server.answers.set('/images/create', (_, response) => {
      response.end(
        lines(
          { id: 'a', status: 'Downloading', progressDetail: { current: 10, total: 100 } },
          { id: 'b', status: 'Downloading', progressDetail: { current: 5, total: 50 } },
          { id: 'a', status: 'Download complete', progressDetail: {} },
          { id: 'a', status: 'Extracting', progressDetail: { current: 1, total: 100 } },
        ),
      );
    });
    server.answers.set(`/images/nginx@${DIGEST}/json`, (_, response) => json(response, { Id: 'sha256:1' }));
    const seen: object[] = [];
    expect(await engine.pull(`nginx@${DIGEST}`, (progress) => seen.push(progress))).toBe('sha256:1');
    expect(seen).toEqual([
      { currentBytes: 10, totalBytes: 100 },
      { currentBytes: 15, totalBytes: 150 },
      { currentBytes: 105, totalBytes: 150 },
    ]);
    expect(server.requests).toContain(`POST /v1.45/images/create?fromImage=nginx&tag=${encodeURIComponent(DIGEST)}`);
  });
});

describe('the registry behind the engine', () => {
  it.each([
    [401, 'unauthorized: authentication required', 'registry_refused'],
    [404, 'manifest unknown', 'registry_refused'],
    [500, 'pull access denied, repository does not exist', 'registry_refused'],
    [500, 'dial tcp: lookup registry.test: no such host', 'registry_unreachable'],
    [500, 'dial tcp 10.0.0.1:443: i/o timeout', 'registry_unreachable'],
    [429, 'toomanyrequests: You have reached your pull rate limit', 'registry_unreachable'],
  ])('of %s "%s" is %s', async (status, message, code) => {
    server.answers.set('/distribution/nginx:1/json', (_, response) => json(response, { message }, status));
    await expect(engine.registryDigest('nginx:1')).rejects.toMatchObject({ code });
  });

  it('is given the credentials of config.json for that registry, and of no other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'docker-config-'));
    const auth = Buffer.from('me:pass:word').toString('base64');
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { 'registry.test:5000': { auth } } }));
    const seen: (string | undefined)[] = [];
    const answer = (header: string | string[] | undefined): void => void seen.push(header as string | undefined);
    for (const name of ['registry.test:5000/app:1', 'other.test/app:1']) {
      server.answers.set(`/distribution/${name}/json`, (request, response) => {
        answer(request.headers['x-registry-auth']);
        json(response, { Descriptor: { digest: DIGEST } });
      });
    }
    const withLogin = createDockerEngine({ dockerHost: server.address, dockerConfigDir: folder });
    expect(await withLogin.registryDigest('registry.test:5000/app:1')).toBe(DIGEST);
    await withLogin.registryDigest('other.test/app:1');
    await rm(folder, { recursive: true });
    expect(JSON.parse(Buffer.from(seen[0] ?? '', 'base64url').toString())).toEqual({
      username: 'me',
      password: 'pass:word',
      serveraddress: 'registry.test:5000',
    });
    expect(seen[1]).toBeUndefined();
  });
});
