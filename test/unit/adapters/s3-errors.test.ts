import { Readable } from 'node:stream';
import { s3StorageError } from '../../../src/adapters/storage-s3/s3-errors';
import { listBackupSets } from '../../../src/backups/manifest';
import { memoryStorage } from '../../support/memory-storage';

/** As the SDK rejects a GetObject of an object in GLACIER or DEEP_ARCHIVE (S3 API reference, GetObject, InvalidObjectState). */
const archived = Object.assign(new Error("The operation is not valid for the object's storage class"), {
  name: 'InvalidObjectState',
  StorageClass: 'DEEP_ARCHIVE',
  $metadata: { httpStatusCode: 403 },
});

test('an object that a lifecycle rule moved to an archive class is reported as such, not as refused access', () => {
  expect(s3StorageError(archived, 'backups', 'shop/1/manifest.json')).toMatchObject({
    code: 'object_archived',
    message: expect.stringMatching(/shop\/1\/manifest\.json.*archive class.*restore-object/),
  });
});

test('one archived set does not hide the others, and says what is wrong with it', async () => {
  const storage = memoryStorage();
  for (const folder of ['shop/1', 'shop/2']) await storage.put(`${folder}/manifest.json`, Readable.from(['{}']));
  const get = storage.get.bind(storage);
  storage.get = (key) =>
    key.startsWith('shop/1') ? Promise.reject(s3StorageError(archived, 'backups', key)) : get(key);
  const problems = (await listBackupSets(storage, [])).map(({ folder, problem }) => [folder, problem]);
  expect(problems).toEqual([
    ['shop/1', expect.stringContaining('archive class')],
    ['shop/2', expect.stringContaining('damaged')],
  ]);
});
