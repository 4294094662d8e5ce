import { requestUpdate } from '../../src/decisions/request-update';
import type { CommandCall, Outcome, Scripts } from '../support/fake-engine-types';
import { fakePostgres, type Databases } from '../support/fake-postgres';
import { runForge, type Forge } from '../support/forge-scene';
import { someOf } from '../support/exhaustive';
import { isRehearsal, NAMES } from '../support/rehearsal-scene';
import { REAL_SHELL } from '../support/real-shell';
import { nextProcess, readsWhole } from '../support/restore-scene';
import type { Scene } from '../support/scene';

// What a new PostgreSQL major lacks is named before anything is loaded; what differs afterwards, and who does not run on it, too.

const DB = 'forge-db-1';
const DATA = '/var/lib/postgresql/data';

interface Given {
  /** Of database app on the running server. */
  extensions?: string[];
  settings?: [string, string][];
  /** By PostgreSQL 17. */
  refuses?: string;
  /** Of the running server. */
  tablespaces?: string[];
  /** What is read after the load, by major. */
  owner?: (major: string) => string;
  /** Answers the probe of the application, by the major that it runs on. */
  app?: (major: string) => Outcome;
}

interface Made {
  forge: Forge;
  request: () => Promise<string>;
}

function made(given: Given = {}): Made {
  const forge = runForge({ labels: { 'update.probe': 'exec:is-well', 'update.probe.timeout': '5s' } });
  const { engine } = forge.scene;
  const base = fakePostgres(forge.databases, new Map<string, Databases>()).scripts ?? {};
  const scripts = (major: string): Scripts => ({
    ...base,
    'psql *': (call) => answer(call, major, given) ?? run(base['psql *'], call),
  });
  engine.host.find(DB).image.spec.scripts = scripts('15');
  const triedOn = (call: CommandCall): string => {
    const server = engine.containerNames().find((name) => name.startsWith(`${DB}.diun-pilot-rehearsal-`)) ?? DB;
    return isRehearsal(call) && engine.container(server).Config.Env?.includes('PG_MAJOR=17') === true ? '17' : '15';
  };
  engine.host.find('forge-gitea-1').image.spec.scripts = {
    ...REAL_SHELL,
    'is-well': (call) => given.app?.(triedOn(call)) ?? { stdout: 'fine' },
  };
  engine.publish('postgres:17', { config: { Env: ['PG_MAJOR=17'] }, scripts: scripts('17') });
  readsWhole(forge.scene);
  const request = async (): Promise<string> =>
    (await requestUpdate(forge.scene.deps, { container: DB, image: 'postgres:17' })).id;
  return { forge, request };
}

function run(script: Scripts[string] | undefined, call: CommandCall): Outcome {
  return typeof script === 'function' ? script(call) : (script ?? { exitCode: 127 });
}

const lines = (...values: unknown[]): Outcome => ({ stdout: values.map((one) => `${JSON.stringify(one)}\n`).join('') });
const list = (values: string[]): Outcome => ({ stdout: values.map((one) => `${one}\0`).join('') });

function answer({ command }: CommandCall, major: string, given: Given): Outcome | null {
  const query = command.at(-1) ?? '';
  const database = /dbname='([^']*)'/.exec(command.join(' '))?.[1];
  if (query.includes('pg_available_extensions')) return list(['plpgsql']);
  if (query.startsWith('SELECT extname FROM'))
    return { stdout: ['plpgsql', ...(database === 'app' ? (given.extensions ?? []) : [])].join('\n') };
  if (query.startsWith('SELECT json_build_array(name, setting)'))
    return list((given.settings ?? []).map((one) => JSON.stringify(one)));
  if (query.startsWith('ALTER SYSTEM SET'))
    return query.includes(`"${given.refuses}"`)
      ? { exitCode: 1, stderr: `ERROR:  unrecognized configuration parameter "${given.refuses}"` }
      : {};
  if (query.startsWith("SELECT json_build_object(\n  'version'")) return lines(clusterOf(major, given));
  if (query.startsWith('SELECT coalesce((SELECT json_agg(one)')) return lines([]);
  if (query.startsWith("SELECT json_build_array('version'")) return lines(['version', `${major}0001`]);
  if (query.startsWith("SELECT json_build_array('role '")) return lines(['role app', 'LOGIN'], ['role postgres', '']);
  if (query.startsWith("SELECT json_build_array('extension '"))
    return lines(['extension plpgsql', ''], ['table public.items', given.owner?.(major) ?? 'owner app']);
  if (query.startsWith('SELECT json_build_array(CASE c.relkind')) return {};
  return null;
}

const clusterOf = (major: string, { tablespaces = [] }: Given) => ({
  ...{ version: Number(`${major}0001`), superuser: true, encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'c' },
  ...{ locale: null, rules: null, categories: {}, checksums: false, walSegment: 16_777_216, groupAccess: false },
  ...{ directory: DATA, hbaFile: `${DATA}/pg_hba.conf`, identFile: '', settings: [], bytes: 1000, mostWal: 1000 },
  ...{ isStandby: false, tablespaces, closed: [], slots: [], prepared: [], subscriptions: 0 },
});

let scene: Scene | null = null;
afterEach(() => {
  scene?.close();
  scene = null;
});

async function rehearse(given: Given = {}): Promise<{ status: string; detail: string }> {
  const { forge, request } = made(given);
  scene = forge.scene;
  const id = await request();
  await scene.settle();
  const { status, detail } = scene.store.rehearsals.of(id) ?? {};
  expect(scene.store.updates.get(id)?.status).toBe('awaiting_approval');
  expectProductionAlone(scene);
  return { status: status ?? 'none', detail: detail ?? '' };
}

function expectProductionAlone({ engine }: Scene): void {
  expect(engine.containerNames()).toEqual(NAMES);
  for (const name of NAMES) expect(engine.isRunning(name)).toBe(true);
}

/** Of the copies of the server: what was loaded into them. */
const loads = (): number => (scene?.engine.lines() ?? []).filter((line) => line.includes('pg_restore -w')).length;

it('passes: nothing differs, and the applications run on it in their current version', async () => {
  const { status, detail } = await rehearse();
  expect({ status, detail }).toMatchObject({ status: 'passed' });
  expect(detail).toMatch(
    /^Rehearsed on a copy of a live backup from [\d: -]+: PostgreSQL 15 to 17, loaded in .+, and nothing differs\. Compared: 2 databases, 2 roles, 2 extensions/,
  );
  expect(loads()).toBe(4);
  expect(detail).toContain('forge-gitea-1 in its current version became healthy on PostgreSQL 17 after');
  expect(detail).toContain('forge-runner-1 in its current version became healthy on PostgreSQL 17 after');
});

it.each<[string, Given, string]>([
  [
    'an extension that the image lacks',
    { extensions: ['postgis'] },
    'Database app of forge-db-1 uses the extension postgis, which postgres:17 does not have. Use an image of PostgreSQL 17 that has it, or remove it where nothing needs it: DROP EXTENSION "postgis". Production is unchanged.',
  ],
  [
    'a setting that the new major does not know',
    { settings: [['old_setting', '10']], refuses: 'old_setting' },
    'PostgreSQL 17 does not accept the setting old_setting = 10 of forge-db-1 (unrecognized configuration parameter "old_setting")',
  ],
  ['tablespaces', { tablespaces: ['fast'] }, 'forge-db-1 has tablespaces in folders of their own (fast)'],
])('%s is named before anything is loaded', async (_what, given, words) => {
  const { status, detail } = await rehearse(given);
  expect(status).toBe('failed');
  expect(detail).toContain(words);
  expect(loads()).toBe(0);
});

it('what differs after the load is named', async () => {
  const { status, detail } = await rehearse({ owner: (major) => (major === '17' ? 'owner postgres' : 'owner app') });
  expect(status).toBe('failed');
  expect(detail).toContain('Database app: table public.items: before owner app, now owner postgres.');
});

it('an application that runs on the old major only fails it', async () => {
  const { status, detail } = await rehearse({
    app: (major) => (major === '17' ? { exitCode: 1, stderr: 'no such function' } : { stdout: 'fine' }),
  });
  expect(status).toBe('failed');
  expect(detail).toContain('forge-gitea-1 became healthy on PostgreSQL 15 and not on PostgreSQL 17.');
});

it('one that runs on neither in isolation says nothing', async () => {
  const { forge, request } = made({});
  scene = forge.scene;
  scene.engine.host.find('forge-gitea-1').image.spec.scripts = {
    ...REAL_SHELL,
    'is-well': (call) => (isRehearsal(call) ? { exitCode: 1 } : { stdout: 'fine' }),
  };
  const id = await request();
  await scene.settle();
  const { status, detail } = scene.store.rehearsals.of(id) ?? {};
  expect({ status, detail }).toMatchObject({ status: 'passed' });
  expect(detail).toContain(
    'forge-gitea-1 was not judged, because it does not become healthy in isolation on PostgreSQL 15 either.',
  );
});

it.each(['before', 'after'] as const)(
  'leaves nothing behind when the process dies %s a call',
  async (when) => {
    const whole = made();
    const from = whole.forge.scene.engine.callCount;
    await whole.request();
    await whole.forge.scene.settle();
    const calls = whole.forge.scene.engine.callCount;
    whole.forge.scene.close();
    expect(calls - from).toBeGreaterThan(100);
    const all = Array.from({ length: calls - from }, (_, index) => from + index + 1);
    for (const k of someOf(all, 12)) {
      const { forge, request } = made();
      const volumes = [...forge.scene.engine.host.volumes.keys()];
      const died = forge.scene.engine.crashAt(k, when);
      await Promise.race([died, request().then(() => forge.scene.settle())]);
      const next = nextProcess(forge.scene);
      try {
        await next.settle();
        expect({ k, names: next.engine.containerNames() }).toEqual({ k, names: NAMES });
        expect({ k, volumes: [...next.engine.host.volumes.keys()] }).toEqual({ k, volumes });
        const update = next.updates().find(({ to }) => to.reference === 'postgres:17');
        const status = update && next.store.rehearsals.of(update.id)?.status;
        expect({ k, status }).toEqual({ k, status: update === undefined ? undefined : 'passed' });
      } finally {
        next.close();
      }
    }
  },
  600_000,
);
