import type { BackupManifest } from '../../../src/domain/backups/backup';
import { StorageError } from '../../../src/domain/errors';
import { listBackupSets, readManifest, sealed } from '../../../src/backups/manifest';
import { Secret } from '../../../src/lib/secret';
import { memoryStorage } from '../../support/memory-storage';

const SECRETS = [new Secret('secret-of-today'), new Secret('secret-of-before')];
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
  expect((await readManifest(storageWith(aManifest()), FOLDER, SECRETS)).manifest).toEqual(aManifest());
});

test('a set that was never finished is listed as such', async () => {
  const storage = storageWith(aManifest());
  await storage.delete(`${FOLDER}/manifest.json`);
  expect(await listBackupSets(storage, SECRETS)).toEqual([
    {
      folder: FOLDER,
      url: `memory:///${FOLDER}`,
      bytes: 5,
      manifest: null,
      distrust: null,
      sha256: null,
      problem: 'it has no manifest.json, so it was never finished',
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
    /is not a key/,
  ],
])('a set whose manifest %s is listed with the problem', async (_what, manifest, problem) => {
  const storage = storageWith(manifest);
  expect(await listBackupSets(storage, SECRETS)).toMatchObject([
    { manifest: null, problem: expect.stringMatching(problem) },
  ]);
  await expect(readManifest(storage, FOLDER, SECRETS)).rejects.toMatchObject({ code: 'backup_not_verified' });
});

test('a set with an object that is missing or cut is listed with its manifest and the problem', async () => {
  const [cut] = await listBackupSets(storageWith(aManifest(), 'PGD'), SECRETS);
  expect(cut).toMatchObject({
    manifest: { id: '01JD' },
    problem: `these objects are missing or truncated: ${FOLDER}/01-db-database-app.dump`,
  });
});

test('sets are listed by their time, oldest first, whatever their project; other objects are left alone', async () => {
  const storage = memoryStorage();
  for (const key of ['b/20260101T000000Z-1/x', 'a/20270101T000000Z-2/x', 'c/20250101T000000Z-3/x', 'readme.txt']) {
    storage.objects.set(key, Buffer.from('x'));
  }
  expect((await listBackupSets(storage, SECRETS)).map(({ folder }) => folder[0])).toEqual(['c', 'b', 'a']);
});

test('a storage that does not answer is no damaged manifest', async () => {
  const down = {
    ...storageWith(aManifest()),
    get: () => Promise.reject(new StorageError('storage_unreachable', 'down')),
  };
  await expect(listBackupSets(down, SECRETS)).rejects.toMatchObject({ code: 'storage_unreachable' });
});

describe('a manifest is authenticated', () => {
  const distrustOf = async (written: unknown): Promise<string | null> =>
    (await readManifest(storageWith(written), FOLDER, SECRETS)).distrust;

  test.each(SECRETS.map((secret, i) => [i, secret]))('by each secret that verifies links: %s', async (_i, secret) => {
    expect(await distrustOf(sealed([secret], aManifest()))).toBeNull();
  });

  test('not by another secret, and not without a MAC', async () => {
    expect(await distrustOf(sealed([new Secret('of another host')], aManifest()))).toMatch(/PILOT_APPROVAL_SECRET/);
    expect(await distrustOf(aManifest())).toMatch(/no MAC/);
    expect(await distrustOf({ ...aManifest(), mac: 'x' })).toMatch(/PILOT_APPROVAL_SECRET/);
  });

  test.each<[string, (manifest: BackupManifest) => BackupManifest]>([
    ['a hash', (manifest) => withItem(manifest, { sha256: 'b'.repeat(64) })],
    ['a name', (manifest) => withItem(manifest, { name: 'other' })],
    ['a size', (manifest) => withItem(manifest, { bytes: 6 })],
    ['a setting', (manifest) => withItem(manifest, { database: null })],
    ['its project', (manifest) => ({ ...manifest, project: 'other' })],
    ['its items', (manifest) => ({ ...manifest, items: [...manifest.items, ...manifest.items] })],
  ])('and no longer once %s is changed', async (_what, change) => {
    const { mac } = sealed(SECRETS, aManifest());
    expect(await distrustOf({ ...change(aManifest()), mac })).toMatch(/changed by someone/);
  });

  test('in whatever order its fields are written', async () => {
    const turned = Object.fromEntries(Object.entries(sealed(SECRETS, aManifest())).reverse());
    expect(await distrustOf(turned)).toBeNull();
  });
});

test.each<[string, Partial<BackupManifest['items'][number]>]>([
  ['a path above its folder', { kind: 'files', name: '/data/../../etc' }],
  ['a path that is relative', { kind: 'files', name: 'data' }],
  ['a path with a line break', { kind: 'files', name: '/data\nx' }],
  ['a database with a zero byte', { name: 'a\0b' }],
  ['a database that PostgreSQL would cut', { name: 'x'.repeat(64) }],
  ['globals of another name', { kind: 'globals', name: '../x' }],
  ['a container that is a path', { container: '../db' }],
  ['a service that is a path', { service: 'a/../b' }],
  ['a key with a line break', { key: `${FOLDER}/01-db\n` }],
  ['a hidden key', { key: `${FOLDER}/.x` }],
  ['an image with a control character', { image: { reference: 'x\u001b[2J', imageId: 'y' } }],
])('a manifest with %s is damaged', async (_what, fields) => {
  const read = readManifest(storageWith(withItem(aManifest(), fields)), FOLDER, SECRETS);
  await expect(read).rejects.toMatchObject({ code: 'backup_not_verified' });
});

test.each([{ project: '../x' }, { id: '../x' }, { updateId: 'a b' }])(
  'nor does its head name a path: %j',
  async (head) => {
    const read = readManifest(storageWith(aManifest(head)), FOLDER, SECRETS);
    await expect(read).rejects.toMatchObject({ code: 'backup_not_verified' });
  },
);

test('a manifest without end is not read into memory', async () => {
  const storage = storageWith(' '.repeat(17 * 1024 * 1024));
  await expect(readManifest(storage, FOLDER, SECRETS)).rejects.toThrow(/larger than/);
});

function withItem(manifest: BackupManifest, fields: Partial<BackupManifest['items'][number]>): BackupManifest {
  return { ...manifest, items: [{ ...(manifest.items[0] as BackupManifest['items'][number]), ...fields }] };
}
