import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINE_CALLS, WATCHER_CALLS } from '../../src/adapters/docker/calls';
import { listenerOf, type Listener } from '../../src/adapters/docker/socket-proxy/listener';
import { filledIn } from '../support/e2e-stack';

jest.setTimeout(120_000);

// The shipped compose files as Compose itself resolves them. No engine is asked: only the lab's Compose is needed.

interface Service {
  networks?: Record<string, unknown> | null;
  network_mode?: string;
  volumes?: { source?: string; target: string }[];
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string>;
  ports?: unknown[];
}

const REPOSITORY = join(__dirname, '../..');
const SOCKET = '/var/run/docker.sock';
const needed = { POSTGRES_PASSWORD: 'a', GITEA_SECRET_KEY: 'b', PILOT_WEBHOOK_TOKEN: 'c', DOCKER_GID: '999' };
const DOCKER = process.env['LAB_DOCKER'] ?? 'docker';

/** With `change` applied to the text of the socket proxy's file. */
function resolved(change: (text: string) => string = (text) => text): Record<string, Service> {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  try {
    const env = join(folder, '.env');
    writeFileSync(env, filledIn(needed));
    const files = ['docker-compose.yml', 'docker-compose.socket-proxy.yml'].map((name) => {
      const text = readFileSync(join(REPOSITORY, name), 'utf8');
      writeFileSync(join(folder, name), name === 'docker-compose.yml' ? text : change(text));
      return ['--file', join(folder, name)];
    });
    const args = ['compose', '--env-file', env, ...files.flat(), 'config', '--format', 'json'];
    const { status, stdout, stderr } = spawnSync(DOCKER, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { services: Record<string, Service> }).services;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A service in the network of another is where that other is. */
function networksOf(services: Record<string, Service>, name: string): string[] {
  const service = services[name] ?? {};
  const owner = /^service:(.+)$/.exec(service.network_mode ?? '')?.[1];
  return owner === undefined ? Object.keys(service.networks ?? { default: null }) : networksOf(services, owner);
}

function meets(services: Record<string, Service>, one: string, other: string): boolean {
  const there = networksOf(services, other);
  return networksOf(services, one).some((network) => there.includes(network));
}

/** The services that pass calls on to the engine, with what each of them passes on. */
function doors(services: Record<string, Service>): [name: string, Listener][] {
  return Object.entries(services).flatMap(([name, { entrypoint, command }]) =>
    entrypoint?.includes('/app/dist/socket-proxy.js') ? [[name, listenerOf(command ?? [])]] : [],
  );
}

const reachableBy = (services: Record<string, Service>, name: string): [string, Listener][] =>
  doors(services).filter(([door]) => meets(services, name, door));

const holdsSocket = ({ volumes }: Service): boolean =>
  (volumes ?? []).some(({ source, target }) => target === SOCKET && source !== '/dev/null');

describe('docker-compose.socket-proxy.yml', () => {
  let services: Record<string, Service>;
  beforeAll(() => {
    services = resolved();
  });

  test('Diun reaches the port that reads lists, and no other', () => {
    expect(reachableBy(services, 'diun').map(([, { listed }]) => listed)).toEqual([WATCHER_CALLS]);
  });

  test('diun-pilot reaches the port of its own calls', () => {
    expect(reachableBy(services, 'diun-pilot').map(([, { listed }]) => listed)).toEqual([ENGINE_CALLS]);
  });

  test.each([
    ['diun', 'DIUN_PROVIDERS_DOCKER_ENDPOINT'],
    ['diun-pilot', 'DOCKER_HOST'],
  ])('%s is led to the port that it may reach', (service, variable) => {
    const addresses = reachableBy(services, service).map(([door, { port }]) => `tcp://${door}:${port}`);
    expect(addresses).toEqual([services[service]?.environment?.[variable]]);
  });

  test('no other service reaches a door, and none of them is published', () => {
    const others = Object.keys(services).filter((name) => !['diun', 'diun-pilot'].includes(name));
    const own = doors(services).map(([name]) => name);
    expect(own).toHaveLength(2);
    for (const name of others.filter((each) => !own.includes(each))) expect(reachableBy(services, name)).toEqual([]);
    expect(meets(services, own[0] ?? '', own[1] ?? '')).toBe(false);
    for (const name of own) expect(services[name]?.ports ?? []).toEqual([]);
  });

  test('only the doors hold the socket', () => {
    const holders = Object.keys(services).filter((name) => holdsSocket(services[name] ?? {}));
    expect(holders.sort()).toEqual(
      doors(services)
        .map(([name]) => name)
        .sort(),
    );
  });

  test('Diun in the network of the other door would be seen', () => {
    const joined = resolved((text) => text.replace('networks: [watch]', 'networks: [watch, socket]'));
    expect(reachableBy(joined, 'diun').length + reachableBy(joined, 'diun-pilot').length).toBeGreaterThan(2);
  });
});
