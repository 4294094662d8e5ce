import { findSet } from '../../../src/restores/find-set';
import type { BackupManifest } from '../../../src/domain/backups/backup';
import { memoryStorage } from '../../support/memory-storage';

type Kind = 'whole' | 'cut' | 'unfinished';

let storage: ReturnType<typeof memoryStorage>;
beforeEach(() => (storage = memoryStorage()));

/** A set in the storage; answers its id. */
function stored(project: string, day: number, kind: Kind = 'whole'): string {
  const id = `01KAT3W9A0BCDEFGHJKMNP${project.slice(0, 2).toUpperCase()}0${day}`;
  const folder = `${project}/2026110${day}T020000Z-${id}`;
  const key = `${folder}/01-app.dump`;
  const image = { reference: 'postgres:15', imageId: 'sha256:1' };
  const item = { container: 'db', image, kind: 'database', name: 'app', key, bytes: 4, compression: 'none' } as const;
  const manifest: BackupManifest = {
    ...{ format: 1, id, project, createdAt: `2026-11-0${day}T02:00:00.000Z`, reason: 'schedule' },
    ...{ updateId: null, quiesced: false },
    items: [{ ...item, sha256: 'a'.repeat(64), verified: 'whole' }],
  };
  storage.objects.set(key, Buffer.from(kind === 'cut' ? 'dum' : 'dump'));
  if (kind !== 'unfinished') storage.objects.set(`${folder}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  return id;
}

const latest = async (project: string | null): Promise<string> =>
  (await findSet({ storage, approvalSecrets: [] }, 'latest', project)).manifest.id;

test('latest is the newest whole set, not one that is cut or was never finished', async () => {
  const ids = [stored('forge', 1), stored('forge', 2), stored('forge', 3, 'cut'), stored('forge', 4, 'unfinished')];
  expect(await latest(null)).toBe(ids[1]);
});

test('of several projects latest is that of the named one, however new the others are', async () => {
  const [own] = [stored('forge', 1), stored('shop', 5)];
  expect(await latest('forge')).toBe(own);
});

test('of several projects and none named it says which there are, and restores none', async () => {
  const ids = [stored('forge', 1), stored('shop', 5)];
  const told = expect.stringMatching(/sets of forge, shop, so "latest" is ambiguous\. Add --project NAME/);
  await expect(latest(null)).rejects.toMatchObject({ code: 'backup_not_found', message: told });
  await expect(latest(null)).rejects.toThrow(ids[1]);
});

test('for a stack of another name, latest is the newest of the only project there is', async () => {
  const ids = [stored('forge', 1), stored('forge', 2)];
  expect(await latest('copy')).toBe(ids[1]);
  stored('shop', 3);
  await expect(latest('copy')).rejects.toMatchObject({ code: 'backup_not_found' });
});

test('finds a set by id, folder and address', async () => {
  const id = stored('forge', 1);
  const folder = `forge/20261101T020000Z-${id}`;
  for (const named of [id, folder, `${folder}/`, storage.urlOf(folder)]) {
    expect([named, (await findSet({ storage, approvalSecrets: [] }, named, null)).manifest.id]).toEqual([named, id]);
  }
});

test('a damaged set is refused by name, with the whole ones told; an empty storage says so', async () => {
  await expect(latest(null)).rejects.toThrow('The storage holds no complete set: check PILOT_BACKUP_URL.');
  const [whole, cut] = [stored('forge', 1), stored('forge', 2, 'cut')];
  await expect(findSet({ storage, approvalSecrets: [] }, cut ?? '', null)).rejects.toMatchObject({
    code: 'backup_not_verified',
    message: expect.stringMatching(new RegExp(`Nothing was stopped.*${whole}`)),
  });
});
