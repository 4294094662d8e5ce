import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readProbe } from '../../src/domain/labels/read-probe';
import type { ProbeSpec } from '../../src/domain/labels/container-labels';
import { probeFor } from '../../src/probes/probe-for';
import { waitUntilHealthy } from '../../src/probes/wait-until-healthy';
import { FakeEngine } from '../support/fake-engine';
import type { ImageSpec, Scripts } from '../support/fake-engine-types';
import { TestClock } from '../support/test-clock';

let clock: TestClock;
let engine: FakeEngine;
let made = 0;
beforeEach(() => {
  clock = new TestClock();
  engine = new FakeEngine(clock);
});

function run(scripts: Scripts = {}, image: ImageSpec = {}, env: string[] = []): string {
  engine.addImage({ reference: 'app:1', scripts, ...image });
  return engine.runContainer({ name: `app-${++made}`, image: 'app:1', env });
}

interface AskOptions {
  addresses?: string[];
  env?: string[];
  files?: Record<string, string>;
}

async function ask(spec: ProbeSpec, scripts: Scripts, options: AskOptions = {}) {
  const id = run(scripts, {}, options.env);
  for (const [path, content] of Object.entries(options.files ?? {})) engine.files(id).write(path, content);
  return probeFor(spec, { engine, container: engine.container(id), addresses: options.addresses ?? [] }).ask();
}

const LISTENS_ON_80 = `  sl  local_address rem_address   st
   0: 00000000:0050 00000000:0000 0A 00000000:00000000
   1: 0100007F:0016 00000000:0000 01 00000000:00000000`;

describe('the nginx probe', () => {
  const spec: ProbeSpec = { kind: 'nginx' };
  const table = { 'cat /proc/net/tcp /proc/net/tcp6': { stdout: LISTENS_ON_80 } };

  it('is content when the configuration parses and something listens', async () => {
    const answer = await ask(spec, { 'nginx -t': { exitCode: 0 }, ...table });
    expect(answer).toEqual({ healthy: true, detail: 'nginx -t passes, and it listens on 80' });
  });

  it('tells what nginx -t said', async () => {
    const answer = await ask(spec, { 'nginx -t': { exitCode: 1, stderr: 'unknown directive "brotli"' }, ...table });
    expect(answer).toMatchObject({ healthy: false, detail: expect.stringContaining('unknown directive "brotli"') });
  });

  it('waits while nothing listens', async () => {
    const nobody = { 'cat /proc/net/tcp /proc/net/tcp6': { stdout: '  sl  local_address rem_address   st\n' } };
    expect(await ask(spec, { 'nginx -t': { exitCode: 0 }, ...nobody })).toMatchObject({ healthy: false });
  });
});

describe('the postgres probe', () => {
  const spec: ProbeSpec = { kind: 'postgres' };

  it('asks as the user and for the database of the container', async () => {
    const answer = await ask(
      spec,
      {
        "pg_isready -q -h 127.0.0.1 -U git -d dbname='gitea'": { exitCode: 0 },
        "psql -X -q -w -U git -d dbname='gitea' -c SELECT 1": { exitCode: 0 },
      },
      { env: ['POSTGRES_USER=git', 'POSTGRES_DB=gitea'] },
    );
    expect(answer.healthy).toBe(true);
  });

  const secrets = ['POSTGRES_USER_FILE=/run/secrets/user', 'POSTGRES_PASSWORD_FILE=/run/secrets/password'];

  it('asks as the user whom a file names, with the password that the socket may want', async () => {
    const env: string[][] = [];
    const answer = await ask(
      spec,
      {
        "pg_isready -q -h 127.0.0.1 -U boss -d dbname='postgres'": { exitCode: 0 },
        "psql -X -q -w -U boss -d dbname='postgres' -c SELECT 1": (call) => {
          env.push(call.env);
          return { exitCode: 0 };
        },
      },
      { env: secrets, files: { '/run/secrets/user': 'boss\n', '/run/secrets/password': 's3cret\n' } },
    );
    expect(answer.healthy).toBe(true);
    expect(env).toEqual([expect.arrayContaining(['PGPASSWORD=s3cret', 'PGOPTIONS=-c search_path=pg_catalog'])]);
    expect(engine.transcript.filter(({ line }) => /\bcat\b/.test(line))).toEqual([]);
  });

  it('is not content with a server whose login cannot be read', async () => {
    expect(await ask(spec, {}, { env: secrets })).toEqual({
      healthy: false,
      detail: 'The file that POSTGRES_USER_FILE names cannot be read in its container.',
    });
  });

  it('is not content with a server that only accepts connections', async () => {
    const answer = await ask(spec, {
      "pg_isready -q -h 127.0.0.1 -U postgres -d dbname='postgres'": { exitCode: 0 },
      "psql -X -q -w -U postgres -d dbname='postgres' -c SELECT 1": {
        exitCode: 2,
        stderr: 'FATAL: the database system is starting up',
      },
    });
    expect(answer).toMatchObject({ healthy: false, detail: expect.stringContaining('starting up') });
  });
});

describe('over HTTP', () => {
  let server: Server;
  let answer: { status: number; body: string };
  let frontPage: string | null;
  beforeEach((done) => {
    frontPage = null;
    server = createServer((request, response) => {
      response.statusCode = answer.status;
      response.end(request.url === '/' && frontPage !== null ? frontPage : answer.body);
    }).listen(0, '127.0.0.1', done);
  });
  afterEach((done) => {
    server.close(done);
  });
  const port = (): number => (server.address() as AddressInfo).port;
  const gitea = (variable = 'GITEA__server__HTTP_PORT') =>
    ask({ kind: 'gitea' }, {}, { addresses: ['127.0.0.1'], env: [`${variable}=${port()}`] });

  it.each([
    [200, true],
    [302, true],
    [404, false],
    [503, false],
  ])('%i is healthy: %s', async (status, healthy) => {
    answer = { status, body: '' };
    expect(await ask({ kind: 'http', port: port(), path: '/' }, {}, { addresses: ['127.0.0.1'] })).toMatchObject({
      healthy,
    });
  });

  it('believes Gitea only when the body says pass', async () => {
    answer = { status: 200, body: '{"status":"pass","checks":{}}' };
    expect(await gitea()).toMatchObject({ healthy: true });
  });

  it.each([
    [424, '{"status":"fail"}'],
    [200, '<title>Gitea: Installation stage</title>'],
    [200, '{"status":"fail"}'],
    [200, 'not json'],
  ])('does not believe Gitea that answers %i %s', async (status, body) => {
    answer = { status, body };
    expect(await gitea()).toMatchObject({ healthy: false });
  });

  /** What Gitea 1.26.0 and 1.27.3 answer without a configuration, word for word. */
  const UNINSTALLED = `{
  "status": "pass",
  "description": "Gitea: Git with a cup of tea"
}`;

  it('does not believe a Gitea that lost its configuration: it passes without a check, and shows its installation page', async () => {
    answer = { status: 200, body: UNINSTALLED };
    frontPage = '<title>Installation - Gitea</title><div role="main" aria-label="x" class="page-content install">';
    expect(await gitea()).toEqual({
      healthy: false,
      detail: 'Gitea shows its installation page: its configuration is lost',
      final: true,
    });
  });

  it('believes what passes without a check when its front page is another', async () => {
    answer = { status: 200, body: UNINSTALLED };
    frontPage = '<title>Gitea</title><div role="main" class="page-content home">';
    expect(await gitea()).toMatchObject({ healthy: true });
  });

  it.each(['GITEA__server__HTTP_PORT', 'GITEA__SERVER__HTTP_PORT', 'HTTP_PORT'])(
    'finds the port of Gitea in %s',
    async (variable) => {
      answer = { status: 200, body: '{"status":"pass","checks":{"database:ping":[{"status":"pass"}]}}' };
      expect(await gitea(variable)).toEqual({ healthy: true, detail: '/api/healthz says pass' });
    },
  );

  it('connects for tcp, and tells a closed port', async () => {
    answer = { status: 200, body: '' };
    expect(await ask({ kind: 'tcp', port: port() }, {}, { addresses: ['127.0.0.1'] })).toMatchObject({ healthy: true });
    expect(await ask({ kind: 'tcp', port: 1 }, {}, { addresses: ['127.0.0.1'] })).toMatchObject({ healthy: false });
  });
});

describe('diun-pilot in a container', () => {
  let own: Server;
  beforeEach((done) => {
    own = createServer((_, response) => void response.end('{"status":"ok"}')).listen(0, '0.0.0.0', done);
  });
  afterEach((done) => {
    own.close(done);
  });

  it.each(['http', 'tcp'] as const)(
    'does not take its own port for one on the network of the host (%s)',
    async (kind) => {
      const selfId = run();
      engine.addImage({ reference: 'silent:1' });
      const containerId = engine.runContainer({ name: 'silent', image: 'silent:1', networks: ['host'] });
      const { port } = own.address() as AddressInfo;
      const probe: ProbeSpec = { kind, port, path: '/health' };
      const asked = waitUntilHealthy({ engine, selfId, clock, containerId, probe, timeoutMs: 60_000 });
      await expect(asked).rejects.toMatchObject({ code: 'unhealthy' });
    },
  );
});

describe('without a shared network', () => {
  const spec: ProbeSpec = { kind: 'http', port: 3000, path: '/ready' };
  const curl = 'curl -s -m 5 -w \ndiun-pilot-status:%{http_code} http://127.0.0.1:3000/ready';

  it('asks with the curl of the container', async () => {
    expect(await ask(spec, { [curl]: { stdout: 'ready\ndiun-pilot-status:200' } })).toMatchObject({ healthy: true });
    expect(await ask(spec, { [curl]: { stdout: 'no\ndiun-pilot-status:503' } })).toMatchObject({ healthy: false });
  });

  it('else with its wget, and else says that it cannot', async () => {
    expect(await ask(spec, { 'wget -q -T 5 -O - http://127.0.0.1:3000/ready': { stdout: 'ok' } })).toMatchObject({
      healthy: true,
    });
    expect(await ask(spec, {})).toMatchObject({
      healthy: false,
      detail: expect.stringContaining('neither curl nor wget'),
    });
  });
});

describe('the exec probe', () => {
  it('runs the command as it is written, quotes and all', async () => {
    const spec = readProbe('exec:test "a b" = ok') as ProbeSpec;
    expect(await ask(spec, { 'test a b = ok': { exitCode: 0 } })).toMatchObject({ healthy: true });
    expect(await ask(spec, { 'test a b = ok': { exitCode: 3, stdout: 'nope' } })).toMatchObject({
      healthy: false,
      detail: 'test exits 3: nope',
    });
  });
});

describe('waiting until healthy', () => {
  const wait = (containerId: string, probe: ProbeSpec, timeoutMs = 30_000) =>
    waitUntilHealthy({ engine, selfId: null, clock, containerId, probe, timeoutMs });

  it('looks a second time before it believes', async () => {
    let asked = 0;
    const id = run({ check: () => ({ exitCode: ++asked === 2 ? 1 : 0 }) });
    await wait(id, { kind: 'exec', command: ['check'] });
    expect(asked).toBe(4);
  });

  it('tells broken from slow: an exit is told at once, slowness at the deadline', async () => {
    const begin = clock.now().getTime();
    const exits = run({}, { health: 'exits' });
    await expect(wait(exits, { kind: 'docker' })).rejects.toMatchObject({
      code: 'unhealthy',
      message: expect.stringMatching(/exited with code 1/),
    });
    expect(clock.now().getTime() - begin).toBeLessThan(2_000);
    engine.addImage({ reference: 'slow:1' });
    const slow = engine.runContainer({ name: 'slow', image: 'slow:1' });
    await expect(wait(slow, { kind: 'exec', command: ['missing'] })).rejects.toMatchObject({
      message: expect.stringMatching(/Not healthy within 30 seconds/),
    });
    expect(clock.now().getTime() - begin).toBeGreaterThanOrEqual(30_000);
  });

  it('tells a container that somebody removed', async () => {
    const id = run();
    await engine.stop(id);
    await engine.remove(id);
    await expect(wait(id, { kind: 'docker' })).rejects.toMatchObject({
      code: 'unhealthy',
      message: expect.stringContaining('removed externally'),
    });
  });
});
