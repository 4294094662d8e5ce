import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { requestBackups } from '../../src/backups/backup-queue';
import { folderOf } from '../../src/backups/backup-set';
import { pruneBackups } from '../../src/backups/prune-backups';
import { StorageError } from '../../src/domain/errors';
import { readContainers } from '../../src/containers/read-containers';
import { nginx, openScene, type Scene } from '../support/scene';

const DAY = 86_400_000;
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.deps.retention = { daily: 2, weekly: 0, monthly: 0 };
  scene.engine.addImage({ reference: 'nginx:stable', files: { '/data/a': 'some rows' } });
  scene.engine.runContainer(nginx({ labels: { 'backup.kind': 'files', 'backup.paths': '/data' } }));
});
afterEach(() => scene.close());

async function backUp(): Promise<string> {
  const containers = await readContainers(scene.engine, null);
  const [record] = requestBackups({ store: scene.store, containers }, { reason: 'schedule' });
  await scene.settle();
  return record?.id ?? '';
}

async function backUpDaily(days: number): Promise<string[]> {
  const ids: string[] = [];
  for (let day = 0; day < days; day++) {
    ids.push(await backUp());
    await scene.clock.advance(DAY);
  }
  return ids;
}

const statuses = (): Record<string, string> =>
  Object.fromEntries(scene.store.backups.list(50).map(({ id, status }) => [id, status]));
const folders = (): string[] => readdirSync(join(scene.folder, 'backups', 'web'));
const stored = async (): Promise<string[]> => (await scene.deps.storage.list('')).map(({ key }) => key);

test('after each good backup the older ones go, first from the list and then from the storage', async () => {
  const [first = '', second = '', third = ''] = await backUpDaily(3);
  expect(statuses()).toEqual({ [first]: 'pruned', [second]: 'succeeded', [third]: 'succeeded' });
  expect(
    folders()
      .map((name) => name.slice(-26))
      .sort(),
  ).toEqual([second, third].sort());
  expect(scene.store.backups.get(first)).toMatchObject({
    url: null,
    pruned: { because: expect.stringContaining('the newest of each of the last 2 days') },
  });
  expect(scene.store.timers.get('retention')?.last).toMatchObject({ trouble: null });
});

test('a day is one of the time zone that is set', async () => {
  // 2026-01-05T23:30 and 2026-01-06T00:30 in Berlin: one day for UTC.
  scene.deps.timeZone = 'Europe/Berlin';
  await scene.clock.advance(19.5 * 3_600_000);
  const first = await backUp();
  await scene.clock.advance(3_600_000);
  const second = await backUp();
  expect(statuses()).toEqual({ [first]: 'succeeded', [second]: 'succeeded' });
  await scene.clock.advance(3_600_000);
  const third = await backUp();
  expect(statuses()).toEqual({ [first]: 'succeeded', [second]: 'pruned', [third]: 'succeeded' });
});

test('a failed backup removes nothing', async () => {
  const ids = await backUpDaily(2);
  scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
  scene.engine.onCall('archive', () => {
    throw new StorageError('storage_full', 'Full.');
  });
  await backUp();
  expect(ids.map((id) => statuses()[id])).toEqual(['succeeded', 'succeeded']);
});

test('a storage that fails meanwhile is a warning, and the rest goes after the next backup', async () => {
  const [first = ''] = await backUpDaily(2);
  const { storage } = scene.deps;
  const keys = await stored();
  const manifest = keys.find((key) => key.includes(first) && key.endsWith('manifest.json'));
  const deleted: string[] = [];
  scene.deps.storage = {
    ...storage,
    delete: (key) => {
      deleted.push(key);
      if (!key.endsWith('manifest.json')) throw new StorageError('storage_unreachable', 'The bucket does not answer.');
      return storage.delete(key);
    },
  };
  const [third = ''] = await backUpDaily(1);
  expect(deleted[0]).toBe(manifest);
  expect(statuses()).toMatchObject({ [first]: 'pruned', [third]: 'succeeded' });
  expect(scene.log).toContainEqual(expect.objectContaining({ level: 'warn', reason: 'The bucket does not answer.' }));
  expect(scene.store.timers.get('retention')?.last?.trouble).toMatch(/^1 old backup could not be removed/);
  expect((await stored()).some((key) => key.includes(first))).toBe(true);
  scene.deps.storage = storage;
  await backUp();
  expect((await stored()).some((key) => key.includes(first))).toBe(false);
  expect(scene.store.timers.get('retention')?.last?.trouble).toBeNull();
});

test('a crash between the decision and the last object is made good by the next run', async () => {
  const [first = ''] = await backUpDaily(1);
  await backUp();
  scene.store.backups.prune(first, 'because');
  scene = scene.restart();
  await pruneBackups(scene.deps);
  expect((await stored()).some((key) => key.includes(first))).toBe(false);
});

test('the backup of an update stays while the update is open, and for three days after', async () => {
  const files = { '/data/a': 'some rows' };
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { files }).digest);
  await scene.settle();
  const own = scene.updates()[0]?.backupId ?? '';
  const [sameDay = ''] = await backUpDaily(3);
  expect(statuses()).toMatchObject({ [own]: 'succeeded', [sameDay]: 'pruned' });
  await backUpDaily(2);
  expect(statuses()[own]).toBe('pruned');
});

const askToRestore = (id: string) => {
  const backup = scene.store.backups.get(id);
  const folder = folderOf(backup ?? { items: [] }) ?? '';
  return scene.store.restores.insert({ backupId: id, folder, url: backup?.url ?? '', target: null, updateId: null });
};

test('the backup that a restore waits for or reads stays until the restore has ended', async () => {
  const [first = ''] = await backUpDaily(2);
  scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
  const restore = askToRestore(first);
  for (const status of ['queued', 'running', 'failed'] as const) {
    scene.store.restores.change(restore.id, { status });
    await pruneBackups(scene.deps);
    expect([status, statuses()[first]]).toEqual([status, status === 'failed' ? 'pruned' : 'succeeded']);
  }
});

test('what retention gave up, but could not remove yet, is not taken away from under a restore', async () => {
  const [first = ''] = await backUpDaily(2);
  scene.store.backups.prune(first, 'because');
  const restore = askToRestore(first);
  await pruneBackups(scene.deps);
  expect((await stored()).filter((key) => key.includes(first))).toHaveLength(2);
  scene.store.restores.change(restore.id, { status: 'succeeded' });
  await pruneBackups(scene.deps);
  expect((await stored()).filter((key) => key.includes(first))).toEqual([]);
});

test('the backup of a failed rollback stays as long as the link of its mail offers it, and at least 30 days', async () => {
  const files = { '/data/a': 'some rows' };
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { files }).digest);
  await scene.settle();
  const { id = '', backupId } = scene.updates()[0] ?? {};
  scene.store.updates.change(id, { status: 'rollback_failed' });
  const at = async (days: number, ttlDays: number): Promise<string | undefined> => {
    await scene.clock.advance(days * DAY);
    scene.deps.approvalTtlMs = ttlDays * DAY;
    await backUpDaily(3);
    return statuses()[backupId ?? ''];
  };
  expect(await at(20, 3)).toBe('succeeded');
  expect(await at(20, 90)).toBe('succeeded');
  expect(await at(1, 40)).toBe('pruned');
});

test('a link whose backup was restored by the command since no longer keeps it', async () => {
  const files = { '/data/a': 'some rows' };
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { files }).digest);
  await scene.settle();
  const { id = '', backupId } = scene.updates()[0] ?? {};
  scene.store.updates.change(id, { status: 'rollback_failed' });
  scene.store.restores.change(askToRestore(backupId ?? '').id, {
    status: 'succeeded',
    finishedAt: scene.clock.now().toISOString(),
  });
  await scene.clock.advance(40 * DAY);
  scene.deps.approvalTtlMs = 90 * DAY;
  await backUpDaily(3);
  expect(statuses()[backupId ?? '']).toBe('pruned');
});

test('what is not ours is left alone; what an interrupted backup left goes after a day, or a week if it may be of another host', async () => {
  const { id } = scene.store.backups.insert({ project: 'web', container: null, reason: 'schedule', updateId: null });
  scene.store.backups.change(id, { status: 'failed', finishedAt: scene.clock.now().toISOString() });
  const folderOfNow = (of: string): string =>
    `web/${scene.clock
      .now()
      .toISOString()
      .replace(/[-:]|\.\d+/g, '')}-${of}`;
  const orphan = `${folderOfNow(id)}/01-web-files-data.tar.gz`;
  const unknown = `${folderOfNow('01KAT3W9A0BCDEFGHJKMNPQRST')}/01-web-files-data.tar.gz`;
  const strangers = ['web/notes.txt', 'other/20260101T020000Z-01KAT3W9A0BCDEFGHJKMNPQRSV/manifest.json'];
  for (const key of [orphan, unknown, ...strangers])
    await scene.deps.storage.put(key, Readable.from([Buffer.from('x')]));
  await backUpDaily(4);
  const left = await stored();
  expect(left).not.toContain(orphan);
  expect(left).toEqual(expect.arrayContaining([unknown, ...strangers]));
  await backUpDaily(5);
  expect(await stored()).not.toContain(unknown);
});

test('a set that somebody damaged is no orphan: what is left of it may be all there is', async () => {
  const id = await backUp();
  const manifest = (await stored()).find((key) => key.endsWith('manifest.json')) ?? '';
  rmSync(join(scene.folder, 'backups', manifest));
  await scene.clock.advance(DAY * 2);
  await backUp();
  expect((await stored()).filter((key) => key.includes(id))).toHaveLength(1);
});

test('backups in a storage that was set before are not judged by the one of today', async () => {
  const ids = await backUpDaily(2);
  scene.deps.storage = { ...scene.deps.storage, urlOf: (key) => `s3://elsewhere/${key}` };
  scene.deps.retention = { daily: 1, weekly: 0, monthly: 0 };
  await backUp();
  expect(ids.map((id) => statuses()[id])).toEqual(['succeeded', 'succeeded']);
});

test('the newest that has passed a restore drill stays, however many newer ones there are', async () => {
  const ids = await backUpDaily(2);
  const passed = { status: 'passed', at: scene.clock.now().toISOString(), words: 'Restored.' } as const;
  for (const id of ids) scene.store.backups.endDrill(id, passed);
  await backUpDaily(3);
  expect(ids.map((id) => statuses()[id])).toEqual(['pruned', 'succeeded']);
});
