import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import type { ItemSource } from '../../src/backups/sources/item-source';
import { filesOf } from '../../src/backups/sources/files-source';
import { databasesOf } from '../../src/backups/sources/postgres-source';
import { storeItem } from '../../src/backups/store-item';
import { readContainers } from '../../src/containers/read-containers';
import type { Container } from '../../src/domain/container';
import { systemClock } from '../../src/lib/clock';
import type { Engine } from '../../src/ports/engine';
import type { ComposeProject } from '../lab/compose';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';
import { memoryStorage } from '../support/memory-storage';

// Writers are stopped for a backup: one that waits for a lock, or for a server of files that is gone, keeps them down.
const stage = openStage();
let engine: Engine;

beforeAll(() => {
  engine = createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null });
});

async function containerOf(project: ComposeProject, service: string): Promise<Container> {
  const found = (await readContainers(engine, null)).find(({ name }) => name === `${project.name}-${service}-1`);
  if (found === undefined) throw new Error(`no container of ${service}`);
  return found;
}

const logger = { warn: () => undefined };

/** What the backup of one source says when it fails. Ten minutes are too long for a test. */
async function failureOf(source: ItemSource | undefined, silenceMs?: number): Promise<string> {
  if (source === undefined) throw new Error('there is no such source');
  const into = { storage: memoryStorage(), clock: systemClock, logger, onProgress: () => undefined, silenceMs };
  try {
    const { verified } = await storeItem(into, source, 'item');
    return `it was stored: ${verified}`;
  } catch (error) {
    return (error as Error).message;
  }
}

test('a table that another session has locked fails the dump, which says how to find that session', async () => {
  const db = {
    image: stage.lab.images.POSTGRES_15,
    environment: { POSTGRES_USER: 'app', POSTGRES_PASSWORD: 'geheim' },
    labels: { 'backup.kind': 'postgres' },
  };
  const project = await stage.project('locked', { db });
  const psql = (query: string): Promise<string> =>
    project.compose(['exec', '-T', 'db', 'psql', '-h', 'localhost', '-U', 'app', '-Atc', query]);
  await eventually('the server answers', () => psql('CREATE TABLE IF NOT EXISTS orders (id int)'));
  const forgotten = psql('BEGIN; LOCK TABLE orders; SELECT pg_sleep(3600)').catch(() => '');
  const pids =
    'SELECT pid FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE mode = $$AccessExclusiveLock$$)';
  const holder = await eventually('the table is locked', async () => (await psql(pids)).trim() || null);

  const sources = await databasesOf(engine, await containerOf(project, 'db'), { lockWaitMs: 2_000 });
  const dump = sources.find(({ name }) => name === 'app');
  const said = await failureOf(dump);
  expect(said).toMatch(
    /^Database app of .* could not be backed up: .*timeout.*LOCK TABLE public.orders.*Another session has locked a table/s,
  );
  const query = /psql -U app -d app -c "(.*)"\./.exec(said)?.[1] ?? '';
  expect(await psql(query)).toMatch(new RegExp(`^${holder}\\|app\\|active\\|BEGIN; LOCK TABLE orders`));

  await psql(`SELECT pg_terminate_backend(${holder})`);
  await forgotten;
  expect(await failureOf(dump)).toMatch(/^it was stored: pg_restore read it/);
});

test('a file system whose server is gone fails the backup in the end, running or stopped', async () => {
  const bound = stage.lab.scratch('silent');
  // So that what is mounted below it later is seen in the container.
  spawnSync('mount', ['--bind', '--make-shared', bound, bound]);
  stage.closing(() => spawnSync('umount', ['-l', bound]));
  const share = join(bound, 'share');
  mkdirSync(share);
  // The engine sends nothing before it has some kilobytes; without them its first answer is waited for, for a minute.
  writeFileSync(join(bound, 'a'), randomBytes(1_000_000));
  const app = { image: stage.lab.images.DEBIAN_13, command: ['sleep', 'infinity'], init: true, labels: {} };
  const project = await stage.project('silent', { app: { ...app, volumes: [`${bound}:/data:rslave`] } });
  const container = await containerOf(project, 'app');
  const source = filesOf(engine, container, ['/data'], 2_000)[0];
  expect(await failureOf(source)).toBe('it was stored: 3 entries');

  // Nobody ever answers what the kernel asks of this file system, as of a network share without its server.
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const mount = ['-i', '-t', 'fuse', '-o', options, 'fuse', share];
  const env = { ...process.env, LIBMOUNT_FORCE_MOUNT2: 'always' };
  const mounted = spawnSync('mount', mount, { stdio: ['ignore', 'ignore', 'pipe', device], encoding: 'utf8', env });
  try {
    expect([mounted.status, mounted.stderr]).toEqual([0, '']);
    const silent =
      /^Files \/data of .* could not be backed up: nothing could be read for 3 seconds\. The storage behind \/data does not answer/;
    expect(await failureOf(source, 3_000)).toMatch(silent);
  } finally {
    closeSync(device);
    spawnSync('umount', ['-l', share]);
  }
  expect(await failureOf(source)).toBe('it was stored: 3 entries');
});
