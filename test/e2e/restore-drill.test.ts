import { type BackupRecord, membersOf } from '../../src/domain/backups/backup';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { createDockerSwarm } from '../../src/adapters/docker/swarm';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import { requestBackups } from '../../src/backups/backup-queue';
import { takeBackup } from '../../src/backups/take-backup';
import { systemClock } from '../../src/lib/clock';
import { silentLogger } from '../../src/lib/logger';
import { Secret } from '../../src/lib/secret';
import type { Engine } from '../../src/ports/engine';
import type { Store } from '../../src/ports/store';
import { requestDrills, runNextDrill, type DrillJob } from '../../src/restores/drills/run-next-drill';
import { readContainers } from '../../src/containers/read-containers';
import type { ComposeProject } from '../lab/compose';
import { APP_VOLUMES, appOf, appServices } from '../support/e2e-app';
import { namesOf, openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// A set of a real PostgreSQL and real files, restored into throwaway servers of the real engine.
const stage = openStage();
let shop: ComposeProject;
let app: ReturnType<typeof appOf>;
let directory: string;
let store: Store;
let deps: DrillJob;

beforeAll(async () => {
  shop = await stage.project('drill', appServices(stage.lab, stage.lab.images.APP_1), { top: APP_VOLUMES });
  app = appOf(shop);
  directory = stage.lab.scratch('backups');
  store = createSqliteStore({ path: ':memory:', clock: systemClock });
  stage.closing(() => store.close());
  deps = {
    engine: noting(createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null })),
    swarm: createDockerSwarm({ dockerHost: stage.lab.viewHost, dockerConfigDir: null }),
    storage: createFileStorage({ directory }),
    store,
    clock: systemClock,
    logger: silentLogger,
    selfId: null,
    approvalSecrets: [new Secret('approval-secret-of-the-test')],
    publicUrl: 'http://localhost:8080',
  };
  await app.ready();
  for (const name of ['erste', 'zweite', 'dritte']) await app.keep(name);
  for (const statement of [
    'CREATE ROLE clerk PASSWORD $$x$$',
    'CREATE ROLE "Größe; DROP" IN ROLE clerk',
    'CREATE SCHEMA "Ä b"',
    'CREATE TABLE "Ä b"."it\'s" AS SELECT n FROM generate_series(1, 5000) n',
    'CREATE TABLE "Ä b".parts (n int) PARTITION BY RANGE (n)',
    'CREATE TABLE "Ä b".part PARTITION OF "Ä b".parts FOR VALUES FROM (0) TO (9)',
    'INSERT INTO "Ä b".parts VALUES (1), (2)',
    'ALTER TABLE "Ä b"."it\'s" OWNER TO clerk',
    'ALTER DATABASE app SET default_transaction_read_only TO on',
  ])
    await app.sql(statement);
});

async function backUp(): Promise<BackupRecord> {
  const containers = await readContainers(deps.engine, null);
  const [record] = requestBackups({ store, containers }, { project: shop.name, reason: 'operator' });
  const request = { record: record as BackupRecord, members: membersOf(record as BackupRecord, containers) };
  return takeBackup({ ...deps, onProgress: () => undefined }, { ...request, quiesced: false });
}

async function drill(): Promise<BackupRecord['drill']> {
  const asked = requestDrills(store, await readContainers(deps.engine, null));
  expect(asked.map(({ project }) => project)).toEqual([shop.name]);
  expect(await runNextDrill(deps)).toBe(true);
  return store.backups.get(asked[0]?.id ?? '')?.drill ?? null;
}

/** Volumes of the throwaway servers, by name. */
const made: string[] = [];

function noting(engine: Engine): Engine {
  const createContainer: Engine['createContainer'] = async (name, request) => {
    const id = await engine.createContainer(name, request);
    made.push(...(await engine.inspectContainer(id)).Mounts.map((mount) => mount.Name ?? mount.Source));
    return id;
  };
  return { ...engine, createContainer };
}

async function expectNothingLeft(): Promise<void> {
  expect((await namesOf(stage.lab, shop)).map((name) => name.slice(shop.name.length))).toEqual(['-app-1', '-db-1']);
  expect(made).not.toEqual([]);
  for (const volume of made) expect(await stage.lab.docker.inspect('volume', volume)).toBeNull();
}

const mails = (): { kind: string; text: string }[] => store.outbox.recent(9);

it('restores the newest set into a server of its own, counts what is there, and leaves nothing behind', async () => {
  await backUp();
  const verdict = await drill();
  expect(verdict).toMatchObject({ status: 'passed' });
  expect(verdict?.words).toMatch(
    /^Restored: database app of \S+-db-1 \(\d+ tables, \d+ rows\); database postgres of \S+ \(0 tables, 0 rows\)\. Read to the end: files \/data of \S+-app-1 \(\d+ entries\)\.$/,
  );
  const inApp = await app.sql(
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^(pg_|information)'",
  );
  const rows = await app.sql('SELECT (SELECT count(*) FROM items) + 5002');
  expect(verdict?.words).toContain(`database app of ${shop.name}-db-1 (${inApp} tables, `);
  expect(Number(/(\d+) rows/.exec(verdict?.words ?? '')?.[1])).toBeGreaterThanOrEqual(Number(rows));
  await expectNothingLeft();
  expect(mails()).toEqual([]);
});

it('tells of a damaged dump what is wrong, by mail as well, and leaves nothing behind', async () => {
  const record = await backUp();
  const path = join(directory, record.items.find(({ name }) => name === 'app')?.key ?? '');
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length / 2)]! ^= 1;
  writeFileSync(path, bytes);
  const verdict = await drill();
  expect(verdict).toMatchObject({
    status: 'failed',
    words: expect.stringMatching(/database app of .*were sent, .* came back/),
  });
  expect(mails()).toMatchObject([{ kind: 'drill_failed', text: expect.stringContaining(record.id) }]);
  expect(store.notices.all()).toMatchObject([{ kind: 'drill_failed' }]);
  await expectNothingLeft();
});

it('the service killed in the middle of a drill begins it again at its next start, and then leaves nothing', async () => {
  const pilot = await stage.pilot();
  const body = JSON.stringify({ project: shop.name });
  expect((await pilot.request('/backups', { method: 'POST', body })).status).toBe(202);
  const newest = async (): Promise<BackupRecord> =>
    ((await pilot.get('/backups')) as { backups: [BackupRecord] }).backups[0];
  await eventually('the backup is taken', async () => (await newest()).status === 'succeeded', {
    everyMs: 100,
    timeoutMs: 300_000,
  });
  const own = createSqliteStore({ path: join(pilot.dataDir, 'pilot.db'), clock: systemClock });
  own.timers.ring('drill', new Date().toISOString());
  own.close();
  const drills = async (): Promise<string[]> =>
    (await namesOf(stage.lab, shop)).filter((name) => name.includes('.diun-pilot-drill-'));
  await eventually('the throwaway server is there', async () => (await drills()).length === 1, {
    everyMs: 100,
    timeoutMs: 300_000,
  });
  await pilot.kill();
  const [name = ''] = await drills();
  const mounts = (await stage.lab.docker.inspect('container', name))?.['Mounts'] as { Name: string }[];
  made.push(...mounts.map((mount) => mount.Name));
  await pilot.start();
  await eventually('the drill has ended', async () => (await newest()).drill !== null, {
    everyMs: 100,
    timeoutMs: 300_000,
  });
  expect((await newest()).drill).toMatchObject({ status: 'passed' });
  await expectNothingLeft();
});
