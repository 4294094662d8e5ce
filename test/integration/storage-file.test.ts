import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createFileStorage } from '../../src/adapters/storage-file/file-storage';
import type { BackupStorage } from '../../src/ports/backup-storage';
import { checkStorage } from '../../src/backups/check-storage';

let folder: string;
let storage: BackupStorage;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'storage-file-'));
  storage = createFileStorage({ directory: join(folder, 'backups') });
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (key: string, text = key): Promise<{ bytes: number }> =>
  storage.put(key, Readable.from([Buffer.from(text)]));
const mode = (path: string): string => (statSync(join(folder, path)).mode & 0o777).toString(8);

test('what is stored is for its owner alone, whatever the umask', async () => {
  const before = process.umask(0);
  try {
    await put('shop/set/01-roles.sql.gz');
  } finally {
    process.umask(before);
  }
  expect(mode('backups/shop/set/01-roles.sql.gz')).toBe('600');
  for (const path of ['backups', 'backups/shop', 'backups/shop/set']) expect(mode(path)).toBe('700');
});

test.each(['../outside', 'a/../../outside', '/etc/outside', 'a//b', '', 'a/./b', '.partial/x', 'a/b\0c', 'a\\..\\b'])(
  'the key %j leads nowhere',
  async (key) => {
    for (const act of [() => put(key), () => storage.get(key), () => storage.delete(key)]) {
      await expect(act()).rejects.toMatchObject({ code: 'storage_refused' });
    }
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('deleting the last object of a set removes its folders, and never the storage itself', async () => {
  await put('shop/one/a');
  await put('shop/two/b');
  await storage.delete('shop/one/a');
  expect(readdirSync(join(folder, 'backups', 'shop'))).toEqual(['two']);
  await storage.delete('shop/two/b');
  expect(readdirSync(join(folder, 'backups'))).toEqual(['.partial']);
});

test('what a crash left half written goes with a later write, what is being written stays', async () => {
  const partial = join(folder, 'backups', '.partial');
  mkdirSync(partial, { recursive: true });
  for (const name of ['left-by-a-crash', 'being-written']) writeFileSync(join(partial, name), 'half');
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  utimesSync(join(partial, 'left-by-a-crash'), twoDaysAgo, twoDaysAgo);
  await put('a/b');
  expect(readdirSync(partial)).toEqual(['being-written']);
  expect(await storage.list('')).toEqual([{ key: 'a/b', bytes: 3 }]);
});

test('a file that is cut while it is read fails the reader', async () => {
  await storage.put('a/large', Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(65_536))));
  const content = await storage.get('a/large');
  truncateSync(join(folder, 'backups', 'a', 'large'), 100_000);
  await expect(buffer(content)).rejects.toMatchObject({
    code: 'storage_unreachable',
    message: expect.stringContaining('cut'),
  });
});

test('a folder that cannot be one is told without the path of this machine', async () => {
  writeFileSync(join(folder, 'backups'), 'a file, not a folder');
  const acts = [
    () => put('a/b'),
    () => storage.get('a/b'),
    () => storage.list(''),
    () => checkStorage(storage),
    () => storage.delete('a/b'),
  ];
  for (const act of acts) {
    const error = await act().then(
      () => null,
      (failure: Error & { code: string }) => failure,
    );
    expect(error?.code).toBe('storage_refused');
    expect(error?.message).toMatch(/^The backup folder refuses access \(E[A-Z]+\).*PILOT_BACKUP_URL/);
    expect(error?.message).not.toContain(folder);
  }
});
