import type { BackupManifest } from '../../../src/domain/backup';
import { StorageError } from '../../../src/domain/errors';
import { listBackupSets, readManifest } from '../../../src/backups/read-manifest';
import { memoryStorage } from '../../support/memory-storage';

const FOLDER = 'shop/20261123T020000Z-01JD';

function aManifest(fields: Partial<BackupManifest> = {}): BackupManifest {
  const image = { reference: 'postgres:15', imageId: `sha256:${'0'.repeat(64)}` };
  return {
    format: 1,
    id: '01JD',
    project: 'shop',
    createdAt: '2026-11-23T02:00:00.000Z',
    reason: 'schedule',
    updateId: null,
    quiesced: false,
    items: [
      {
        container: 'db',
        image,
        kind: 'database',
        name: 'app',
        key: `${FOLDER}/01-db-database-app.dump`,
        bytes: 5,
        sha256: 'a'.repeat(64),
        compression: 'none',
        verified: 'pg_restore read it to its end',
      },
    ],
    ...fields,
  };
}

function storageWith(manifest: unknown, dump = 'PGDMP'): ReturnType<typeof memoryStorage> {
  const written = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
  return memoryStorage(
    new Map([
      [`${FOLDER}/01-db-database-app.dump`, Buffer.from(dump)],
      [`${FOLDER}/manifest.json`, Buffer.from(written)],
    ]),
  );
}

test('reads back the manifest that was written', async () => {
  expect(await readManifest(storageWith(aManifest()), FOLDER)).toEqual(aManifest());
});

test('a set that was never finished is listed as such', async () => {
  const storage = storageWith(aManifest());
  await storage.delete(`${FOLDER}/manifest.json`);
  expect(await listBackupSets(storage)).toEqual([
    {
      folder: FOLDER,
      url: `memory:///${FOLDER}`,
      bytes: 5,
      manifest: null,
      problem: 'has no manifest.json: this backup was never finished',
    },
  ]);
});

test.each([
  ['is cut', JSON.stringify(aManifest()).slice(0, 100), /manifest\.json: /],
  ['is of another format', { ...aManifest(), format: 2 }, /format: /],
  [
    'has an item without its hash',
    { ...aManifest(), items: [{ ...aManifest().items[0], sha256: '' }] },
    /items\.0\.sha256/,
  ],
  [
    'names an object elsewhere',
    { ...aManifest(), items: [{ ...aManifest().items[0], key: 'blog/x/1' }] },
    /blog\/x\/1/,
  ],
  [
    'names an object above its folder',
    { ...aManifest(), items: [{ ...aManifest().items[0], key: `${FOLDER}/../x` }] },
    /not in its folder/,
  ],
])('a set whose manifest %s is listed with the problem', async (_what, manifest, problem) => {
  const storage = storageWith(manifest);
  expect(await listBackupSets(storage)).toMatchObject([{ manifest: null, problem: expect.stringMatching(problem) }]);
  await expect(readManifest(storage, FOLDER)).rejects.toMatchObject({ code: 'backup_not_verified' });
});

test('a set with an object that is missing or cut is listed with its manifest and the problem', async () => {
  const [cut] = await listBackupSets(storageWith(aManifest(), 'PGD'));
  expect(cut).toMatchObject({ manifest: { id: '01JD' }, problem: `missing or cut: ${FOLDER}/01-db-database-app.dump` });
});

test('sets are listed by their time, oldest first, whatever their project; other objects are left alone', async () => {
  const storage = memoryStorage();
  for (const key of ['b/20260101T000000Z-1/x', 'a/20270101T000000Z-2/x', 'c/20250101T000000Z-3/x', 'readme.txt']) {
    storage.objects.set(key, Buffer.from('x'));
  }
  expect((await listBackupSets(storage)).map(({ folder }) => folder[0])).toEqual(['c', 'b', 'a']);
});

test('a storage that does not answer is no damaged manifest', async () => {
  const down = {
    ...storageWith(aManifest()),
    get: () => Promise.reject(new StorageError('storage_unreachable', 'down')),
  };
  await expect(listBackupSets(down)).rejects.toMatchObject({ code: 'storage_unreachable' });
});
