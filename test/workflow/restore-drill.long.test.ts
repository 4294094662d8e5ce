import { queueScheduledBackups, requestBackups } from '../../src/backups/backup-queue';
import type { BackupRecord, DrillVerdict } from '../../src/domain/backups/backup';
import type { Method } from '../support/fake-engine';
import type { ImageSpec } from '../support/fake-engine-types';
import { fakePostgres } from '../support/fake-postgres';
import { openScene, type Scene } from '../support/scene';
import { runForgeStack } from '../support/swarm/forge-stack';
import { readContainers } from '../../src/containers/read-containers';

let scene: Scene;
let volumes: string[];
const inShop = { 'com.docker.compose.project': 'shop' };

beforeEach(async () => {
  scene = openScene();
  stack();
  await backUp();
  volumes = [...scene.engine.host.volumes.keys()];
});
afterEach(() => scene.close());

function stack(server: ImageSpec = fakePostgres()): void {
  scene.engine.addImage({ reference: 'postgres:15', ...server });
  const env = ['POSTGRES_USER=app', 'POSTGRES_PASSWORD=hunter2'];
  const labels = { ...inShop, 'com.docker.compose.service': 'db', 'backup.kind': 'postgres' };
  scene.engine.runContainer({ name: 'shop-db-1', image: 'postgres:15', labels, env });
  scene.engine.addImage({ reference: 'wiki:1', files: { '/data/a': 'a', '/data/b': 'b' } });
  const files = { ...inShop, 'backup.kind': 'files', 'backup.paths': '/data' };
  scene.engine.runContainer({ name: 'shop-wiki-1', image: 'wiki:1', labels: files });
}

async function backUp(): Promise<BackupRecord> {
  const containers = await readContainers(scene.engine, null);
  requestBackups({ store: scene.store, containers }, { reason: 'operator' });
  await scene.settle();
  const [record] = scene.store.backups.list(1);
  expect(record?.status).toBe('succeeded');
  return record as BackupRecord;
}

const ring = (): void => scene.store.timers.ring('drill', scene.clock.now().toISOString());
const verdict = (): DrillVerdict | null => scene.store.backups.list(1)[0]?.drill ?? null;
const failures = (): string[] =>
  scene
    .mails()
    .filter(({ kind }) => kind === 'drill_failed')
    .map(({ text }) => text);

async function drill(): Promise<DrillVerdict | null> {
  ring();
  await scene.settle();
  return verdict();
}

function expectNothingLeft(): void {
  expect(scene.engine.containerNames()).toEqual(['shop-db-1', 'shop-wiki-1']);
  expect([...scene.engine.host.volumes.keys()]).toEqual(volumes);
}

/** The image of the server is such from now on, for fresh containers. */
function serverIs(spec: Partial<ImageSpec>): void {
  Object.assign(scene.engine.host.find('shop-db-1').image.spec, spec);
}

it('restores the newest good set into a fresh server of its own image, counts, and leaves nothing', async () => {
  await scene.clock.advance(60_000);
  const { id } = await backUp();
  expect(await drill()).toEqual({
    status: 'passed',
    at: scene.clock.now().toISOString(),
    words:
      'Restored: database app of shop-db-1 (3 tables, 120 rows); database postgres of shop-db-1 (3 tables, 120 rows). Read to the end: files /data of shop-wiki-1 (3 entries).',
  });
  expect(scene.store.backups.list(9).map(({ drill: made }) => made?.status)).toEqual(['passed', undefined]);
  expect(scene.store.timers.get('drill')?.last).toMatchObject({ outcome: 'Requested: shop.', trouble: null });
  expect(scene.log).toContainEqual(expect.objectContaining({ message: 'restore drill passed', backup: id }));
  expect(failures()).toEqual([]);
  expectNothingLeft();
});

it('makes the server so that nobody reaches it or takes it for a watched one', async () => {
  let seen: string[] = [];
  scene.engine.onCall('execInput', async () => {
    seen = (await readContainers(scene.engine.afterRestart(), null)).map(({ name }) => name);
  });
  await drill();
  const created = scene.engine.transcript.find(({ line }) => line.includes('.diun-pilot-drill-'));
  const made = scene.engine.transcript.find(({ method }) => method === 'createContainer');
  expect(created?.line).toMatch(/shop-db-1\.diun-pilot-drill-[0-9a-z]{10}$/);
  expect(made?.args[1]).toMatchObject({
    body: {
      Labels: { 'diun.enable': 'false' },
      HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' }, PortBindings: {}, PublishAllPorts: false },
    },
  });
  expect(seen).toEqual(['shop-db-1', 'shop-wiki-1']);
  expect(JSON.stringify(made?.args)).not.toContain('hunter2');
});

const CRASHES: [Method, 'before' | 'after'][] = [
  ['createContainer', 'before'],
  ['createContainer', 'after'],
  ['start', 'after'],
  ['execInput', 'before'],
  ['execInput', 'after'],
  ['stop', 'after'],
  ['remove', 'before'],
  ['remove', 'after'],
];
test.each(CRASHES)('a crash at %s (%s) leaves nothing, and the next process drills again', async (method, when) => {
  const died = scene.engine.crashAt(method, when);
  ring();
  void scene.settle();
  await died;
  scene = scene.restart();
  await scene.settle();
  expect(verdict()).toMatchObject({ status: 'passed' });
  expectNothingLeft();
});

it('is not tried for ever when it takes the process down each time', async () => {
  ring();
  for (let tries = 0; tries < 3; tries++) {
    const died = scene.engine.crashAt('execInput', 'before');
    void scene.settle();
    await died;
    scene = scene.restart();
  }
  await scene.settle();
  expect(verdict()).toMatchObject({ status: 'skipped', words: expect.stringContaining('3 times') });
  expect(failures()).toEqual([]);
  expectNothingLeft();
});

it('waits for an engine that went away in the middle, as often as that happens', async () => {
  ring();
  for (let times = 0; times < 4; times++) {
    scene.engine.onCall('execInput', () => void (scene.engine.reachable = false), { once: true });
    await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
    scene.engine.reachable = true;
  }
  await scene.settle();
  expect(verdict()).toMatchObject({ status: 'passed' });
  expectNothingLeft();
});

it('the mail of a failed drill names the object and the fix', async () => {
  const { scripts } = scene.engine.host.find('shop-db-1').image.spec;
  const stderr = [
    'pg_restore: error: could not execute query: ERROR:  can only create extension in database app',
    'Command was: CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;',
  ].join('\n');
  serverIs({ scripts: { ...scripts, 'pg_restore -w *': { exitCode: 1, stderr } } });
  expect(await drill()).toMatchObject({ status: 'failed' });
  const [mail = ''] = failures();
  expect(mail).toMatch(/database app of shop-db-1[\s\S]*can exist in only one database/);
  expect(mail).toMatch(/CREATE EXTENSION IF NOT EXISTS pg_cron/);
  expect(mail).toMatch(/cron\.database_name for pg_cron\), restart it/);
});

it('a failure is mailed and told until a newer backup has passed, which is drilled at once', async () => {
  const { 'pg_restore -w *': works = {}, ...rest } = scene.engine.host.find('shop-db-1').image.spec.scripts ?? {};
  serverIs({ scripts: { ...rest, 'pg_restore -w *': { exitCode: 1, stderr: 'ERROR: type "geometry" is missing' } } });
  expect(await drill()).toMatchObject({
    status: 'failed',
    words: expect.stringMatching(/dump of database app .*is intact, but could not be restored: .*geometry/),
  });
  expect(failures()).toEqual([expect.stringMatching(/geometry[\s\S]*diun-pilot restore \S+ --dry-run/)]);
  expect(scene.store.notices.all()).toMatchObject([{ words: 'the last restore drill of shop failed' }]);
  expectNothingLeft();
  serverIs({ scripts: { ...rest, 'pg_restore -w *': works } });
  await backUp();
  expect(verdict()).toMatchObject({ status: 'passed' });
  expect(scene.store.notices.all()).toEqual([]);
  await backUp();
  expect(verdict()).toBeNull();
});

it('a server that does not come up is told with its last words', async () => {
  serverIs({ health: 'exits', logs: ['initdb: error: No space left on device'] });
  expect(await drill()).toMatchObject({
    status: 'failed',
    words: expect.stringMatching(/did not come up, so nothing was restored[\s\S]*No space left on device/),
  });
  expectNothingLeft();
});

it('what cannot be removed is told with the command that does it', async () => {
  scene.engine.onCall('remove', () => {
    throw new Error('device or resource busy');
  });
  expect(await drill()).toMatchObject({
    status: 'failed',
    words: expect.stringMatching(/busy.*docker rm --force --volumes shop-db-1\.diun-pilot-drill-/),
  });
});

it('a backup that was given up meanwhile is not drilled', async () => {
  const { id } = scene.store.backups.list(1)[0] as BackupRecord;
  scene.store.backups.askDrill(id);
  scene.store.backups.prune(id, 'too old');
  await scene.settle();
  expect(verdict()).toMatchObject({ status: 'skipped', words: 'The backup is no longer kept.' });
});

it('of a set that is gone nothing is drilled, and its failure is troubling no more', async () => {
  scene.store.notices.open('drill_failed', 'project old', 'the last restore drill of old failed');
  for (const name of ['shop-db-1', 'shop-wiki-1']) {
    await scene.engine.stop(scene.engine.container(name).Id);
    await scene.engine.remove(scene.engine.container(name).Id);
  }
  expect(await drill()).toBeNull();
  expect(scene.store.timers.get('drill')?.last?.outcome).toBe('No good backup holds a database.');
  expect(scene.store.notices.all()).toEqual([]);
});

it('drills the sets of services, too', async () => {
  const forge = runForgeStack();
  await queueScheduledBackups(forge.scene.deps);
  await forge.scene.settle();
  forge.scene.store.timers.ring('drill', forge.scene.clock.now().toISOString());
  await forge.scene.settle();
  expect(forge.scene.store.backups.list(1)).toMatchObject([{ project: 'forge', drill: { status: 'passed' } }]);
  forge.scene.close();
});
