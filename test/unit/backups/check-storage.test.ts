import { checkStorage } from '../../../src/backups/check-storage';
import { damagingStorage, type Damage } from '../../support/damaging-storage';
import { memoryStorage } from '../../support/memory-storage';

const REFUSED = {
  code: 'storage_refused',
  message: 'The backup storage does not return what was stored in it.',
};

test.each<Damage>(['flip', 'cut', 'empty'])('a storage that gives back other bytes is refused: %s', async (damage) => {
  const storage = memoryStorage();
  await expect(checkStorage(damagingStorage(storage, /^check-/, damage))).rejects.toMatchObject(REFUSED);
  expect(storage.objects.size).toBe(0);
});

test('a storage that does not list what it has is refused: its retention would find nothing', async () => {
  const storage = { ...memoryStorage(), list: () => Promise.resolve([]) };
  await expect(checkStorage(storage)).rejects.toMatchObject(REFUSED);
});
