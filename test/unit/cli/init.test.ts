import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dockerSocket } from '../../../src/config/urls';
import { runOn } from '../../support/cli-app';
import { openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
});
afterEach(() => scene.close());

/** A command that opens the app or reads settings fails. */
const closed = {
  env: { PILOT_PORT: 'wrong', PILOT_DATA_DIR: '/dev/null/data' },
};

interface File {
  services: Record<
    string,
    { environment: Record<string, string>; volumes: string[]; ports?: string[]; group_add?: string[] }
  >;
  volumes: Record<string, unknown>;
}

test('init prints a complete file of at most 60 lines, with Diun and the same token on both sides', async () => {
  const { code, stdout, stderr } = await runOn(scene, ['init'], closed);
  const { services, volumes } = parse(stdout) as File;
  const pilot = services['diun-pilot'];
  const diun = services.diun;
  expect(code).toBe(0);
  expect(stdout.split('\n').length - 1).toBeLessThanOrEqual(60);
  expect(Object.keys(services)).toEqual(['diun-pilot', 'diun']);
  expect(Object.keys(volumes)).toEqual(['diun', 'pilot']);
  expect(pilot).toMatchObject({ image: 'diun-pilot:latest', ports: ['127.0.0.1:8080:8080'], group_add: ['998'] });
  expect(diun?.environment).toMatchObject({
    DIUN_NOTIF_WEBHOOK_ENDPOINT: 'http://diun-pilot:8080/webhooks/diun',
    DIUN_NOTIF_WEBHOOK_METHOD: 'POST',
    DIUN_NOTIF_WEBHOOK_HEADERS_AUTHORIZATION: `Bearer ${pilot?.environment.PILOT_WEBHOOK_TOKEN}`,
    DIUN_PROVIDERS_DOCKER_WATCHBYDEFAULT: 'false',
  });
  expect(diun?.volumes).toContain('${DOCKER_SOCKET:-/var/run/docker.sock}:/var/run/docker.sock:ro');
  expect(stdout).toContain('chmod 600 compose.yaml');
  expect(stderr).toContain('mode 600');
});

test('init --no-diun leaves Diun out and looks in the registry every 6 hours', async () => {
  const { stdout } = await runOn(scene, ['init', '--no-diun'], closed);
  const { services, volumes } = parse(stdout) as File;
  expect(Object.keys(services)).toEqual(['diun-pilot']);
  expect(Object.keys(volumes)).toEqual(['pilot']);
  expect(services['diun-pilot']?.environment.PILOT_RECONCILE_SCHEDULE).toBe('0 */6 * * *');
  expect(stdout.split('\n').length - 1).toBeLessThanOrEqual(60);
});

test('each run generates other secrets, and settings that the service refuses do not matter', async () => {
  const secrets = async (): Promise<string[]> => {
    const { stdout } = await runOn(scene, ['init'], closed);
    const all = (parse(stdout) as File).services['diun-pilot']?.environment ?? {};
    return ['PILOT_WEBHOOK_TOKEN', 'PILOT_API_TOKEN', 'PILOT_APPROVAL_SECRET'].map((name) => all[name] ?? '');
  };
  const all = [...(await secrets()), ...(await secrets())];
  expect(new Set(all).size).toBe(6);
  for (const secret of all) expect(secret).toMatch(/^[\w-]{43}$/);
});

test('where the socket is not mounted, init says how to find its group, and the file still can be read', async () => {
  const dockerSocket = { path: '/var/run/docker.sock', group: null };
  const { code, stdout, stderr } = await runOn(scene, ['init'], { ...closed, dockerSocket });
  expect(code).toBe(0);
  expect(stdout).toContain('echo DOCKER_GID=$(stat -c %g /var/run/docker.sock) >> .env');
  expect(stderr).toContain('echo DOCKER_GID=$(stat -c %g /var/run/docker.sock) >> .env');
  expect((parse(stdout) as File).services['diun-pilot']?.group_add).toEqual(['${DOCKER_GID:-999}']);
});

test('--json wraps the file', async () => {
  const { stdout } = await runOn(scene, ['init', '--no-diun', '--json'], closed);
  expect(JSON.parse(stdout)).toEqual({ compose: expect.stringContaining('services:'), socketGroup: 998 });
});

describe('the socket', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'socket-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('has the group that stat reports, at the path of DOCKER_HOST', async () => {
    const path = join(folder, 'docker.sock');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      expect(dockerSocket({ DOCKER_HOST: `unix://${path}` })).toEqual({ path, group: statSync(path).gid });
    } finally {
      server.close();
    }
  });

  test.each(['tcp://docker:2375', '', undefined, 'unix:///x}:/y', 'unix:///$HOME/x', 'unix:///a#b', 'unix:///"x"'])(
    'is the usual one for DOCKER_HOST=%s',
    (DOCKER_HOST) => {
      expect(dockerSocket({ DOCKER_HOST })).toMatchObject({ path: '/var/run/docker.sock' });
    },
  );

  test('a file that is not a socket has no group, and nothing is created', () => {
    expect(dockerSocket({ DOCKER_HOST: `unix://${folder}` })).toEqual({ path: folder, group: null });
    expect(dockerSocket({ DOCKER_HOST: `unix://${folder}/none` }).group).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  });
});
