import { createHash } from 'node:crypto';
import { decideById } from '../../src/decisions/approve';
import { announceVerdict } from '../../src/decisions/mail-of-offer';
import { MAKE_CLUSTER } from '../../src/restores/files/move-scripts';
import type { CommandCall, ImageSpec, Outcome, Scripts } from './fake-engine-types';
import { aDump, fakePostgres, type Databases } from './fake-postgres';
import { runForge, type Forge } from './forge-scene';
import type { Scene } from './scene';
import { REAL_SHELL } from './real-shell';

export const DATA = '/var/lib/postgresql/data';
export const SERVER = 'forge-db-1';
const ABOVE = '/var/lib/postgresql';

/** A forge whose database server is to become another major. */
export interface MajorForge {
  forge: Forge;
  /** What each data directory holds, by its file `cluster`. */
  clusters: Map<string, Databases>;
  /** What the databases were before. */
  before: Databases;
  /** Requested, and approved as after a passed rehearsal. */
  request(): Promise<void>;
}

const SETTINGS = 'as the operator wrote it';

/** What is on the engine and in the volume of the database server. */
export function foundMajor({ clusters }: MajorForge, scene: Scene) {
  const { engine } = scene;
  const files = engine.files(SERVER);
  const text = (path: string): string | undefined => files.read(`${DATA}/${path}`)?.toString().trim();
  const cluster = clusters.get(text('cluster') ?? '');
  return {
    version: text('PG_VERSION'),
    settings: text('pg_hba.conf'),
    major: engine.container(SERVER).Config.Env?.find((line) => line.startsWith('PG_MAJOR=')),
    databases: Object.keys(cluster ?? {}).sort(),
    app: cluster?.['app']?.toString('latin1'),
    staged: files.folders(DATA).filter((path) => path.includes('.diun-pilot-restore-')),
    kept: files.folders(DATA).filter((path) => /\.diun-pilot-before-[^/]*$/.test(path)).length,
    names: engine.containerNames(),
    running: engine.containerNames().filter((name) => engine.isRunning(name)),
  };
}

const NAMES = ['forge-db-1', 'forge-gitea-1', 'forge-runner-1', 'other-app-1'];

/** One server, whole, with all of its data, and nothing left of the way. */
export function expectedMajor({ before }: MajorForge, version: '15' | '17') {
  return {
    ...{ version, settings: SETTINGS, major: `PG_MAJOR=${version}`, databases: ['app', 'postgres'] },
    ...{ app: before['app']?.toString('latin1'), staged: [], kept: version === '17' ? 1 : 0 },
    ...{ names: NAMES, running: NAMES },
  };
}

interface Options {
  /** The new server shows something else than was loaded. */
  spoils?: boolean;
  /** Of the application. */
  labels?: Record<string, string>;
  /** Connected to the old server. */
  clients?: readonly string[];
  /** What the new image writes into a volume that it declares above the data directory; null: nothing. Left out: it declares none. */
  above?: string | null;
}

export function runMajorForge({ spoils = false, labels = {}, clients = [], above }: Options = {}): MajorForge {
  const databases: Databases = { app: aDump('app'), postgres: aDump('postgres') };
  const clusters = new Map<string, Databases>([['old', databases]]);
  const base = fakePostgres(databases, clusters);
  const spec = (major: string): ImageSpec => ({
    ...base,
    config: {
      ...{ Env: [`PG_MAJOR=${major}`, `PGDATA=${DATA}`], Cmd: ['postgres'] },
      ...(above === undefined || major === '15' ? {} : { Volumes: { [ABOVE]: {} } }),
    },
    scripts: {
      ...base.scripts,
      ...scriptsOf(major, base.scripts ?? {}, clusters, { spoils: spoils && major === '17', clients }),
      ...(typeof above !== 'string' || major === '15' ? {} : { postgres: writesAbove(above) }),
    },
  });
  const forge = runForge({ postgres: spec('15'), labels });
  const { engine } = forge.scene;
  const files = engine.files(SERVER);
  files.write(`${DATA}/cluster`, 'old');
  files.write(`${DATA}/pg_hba.conf`, 'as the operator wrote it');
  files.write(`${DATA}/base/1/2`, 'rows');
  engine.publish('postgres:15', spec('17'));
  const { store } = forge.scene;
  const before = { ...databases };
  return {
    forge,
    clusters,
    before,
    request: async () => {
      await forge.request(SERVER);
      const { deps } = forge.scene;
      for (const { id } of store.updates.withStatus('awaiting_approval')) {
        const rehearsal = store.rehearsals.of(id);
        if (rehearsal === null) throw new Error('no rehearsal was requested');
        store.rehearsals.begin(rehearsal.id);
        announceVerdict(deps, rehearsal.id, { status: 'passed', seconds: null, detail: 'It was tried.' });
        await decideById(deps, id, 'approve', 'api');
      }
    },
  };
}

function scriptsOf(
  major: string,
  base: Scripts,
  clusters: Map<string, Databases>,
  given: Required<Pick<Options, 'spoils' | 'clients'>>,
): Scripts {
  return {
    postgres: ({ files }) => starts(files.read(`${DATA}/PG_VERSION`)?.toString().trim(), major),
    'df *': { stdout: `Filesystem 1024-blocks Used Available Capacity Mounted on\nx 1 1 99999999 1% ${DATA}\n` },
    '/bin/sh -c *': (call) =>
      call.command[2] === MAKE_CLUSTER ? makeCluster(call, major) : run(REAL_SHELL, '/bin/sh -c *', call),
    'psql *': (call) => {
      const cluster = call.files.read(`${DATA}/cluster`)?.toString() ?? '';
      const own = clusters.get(cluster) ?? { postgres: Buffer.alloc(0) };
      clusters.set(cluster, own);
      return factsFor(call, own, major, given) ?? run(base, 'psql *', { ...call, container: mountedAs(call, cluster) });
    },
    ...Object.fromEntries(
      ['pg_dump *', 'pg_restore -w *'].map((name) => [
        name,
        (call: CommandCall) =>
          run(base, name, {
            ...call,
            container: mountedAs(call, call.files.read(`${DATA}/cluster`)?.toString() ?? ''),
          }),
      ]),
    ),
  };
}

/** The fake server has its databases by the volume's name: here a data directory brings its own along, wherever it is moved. */
function mountedAs({ container }: CommandCall, cluster: string): CommandCall['container'] {
  const Mounts = container.Mounts.map((mount) => (mount.Destination === DATA ? { ...mount, Name: cluster } : mount));
  return { ...container, Mounts };
}

function run(scripts: Scripts, name: string, call: CommandCall): Outcome {
  const script = scripts[name];
  return typeof script === 'function' ? script(call) : (script ?? { exitCode: 127 });
}

const writesAbove =
  (name: string) =>
  ({ files }: CommandCall): Outcome => {
    files.write(`${ABOVE}/${name}`, 'of the new version');
    return { hangs: true };
  };

/** As a real server does: stays on its own data, and ends on that of another major. */
function starts(dataMajor: string | undefined, major: string): Outcome {
  // Its files are written right after its first start.
  if (dataMajor === undefined || dataMajor === major) return { hangs: true };
  return { exitCode: 1, stderr: `FATAL:  database files are incompatible with server: ${dataMajor} is not ${major}` };
}

function makeCluster({ command, files }: CommandCall, major: string): Outcome {
  const staged = command[5] ?? '';
  files.clear(staged);
  files.write(`${staged}/PG_VERSION`, `${major}\n`);
  files.write(`${staged}/pg_hba.conf`, 'of initdb');
  files.write(`${staged}/cluster`, `made ${staged}`);
  return {};
}

const line = (value: unknown): Outcome => ({ stdout: `${JSON.stringify(value)}\n` });

function factsFor(
  { command }: CommandCall,
  databases: Databases,
  major: string,
  { spoils, clients }: Required<Pick<Options, 'spoils' | 'clients'>>,
): Outcome | null {
  const query = command.at(-1) ?? '';
  const name = /dbname='([^']*)'/.exec(command.join(' '))?.[1] ?? '';
  if (query.startsWith("SELECT json_build_array('version'")) return line(['version', `${major}0001`]);
  if (query.startsWith('SELECT DISTINCT usename')) return { stdout: clients.map((one) => `${one}\0`).join('') };
  if (query.startsWith("SELECT json_build_array('role '")) return line(['role app', 'LOGIN']);
  if (query.startsWith("SELECT json_build_array('extension '"))
    return line([
      'contents',
      spoils
        ? 'other'
        : createHash('md5')
            .update(databases[name] ?? '')
            .digest('hex'),
    ]);
  if (query.startsWith('SELECT json_build_array(CASE c.relkind')) return {};
  if (query.startsWith("SELECT json_build_object(\n  'version'")) return line(cluster(major));
  if (query.startsWith('SELECT coalesce((SELECT json_agg(one)')) return line([]);
  return null;
}

const cluster = (major: string) => ({
  ...{ version: Number(`${major}0001`), superuser: true, encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'c' },
  ...{ locale: null, rules: null, categories: {}, checksums: false, walSegment: 16_777_216, groupAccess: false },
  ...{ directory: DATA, hbaFile: `${DATA}/pg_hba.conf`, identFile: '', settings: [], bytes: 1000, mostWal: 1000 },
  ...{ isStandby: false, tablespaces: [], closed: [], slots: [], prepared: [], subscriptions: 0 },
});
