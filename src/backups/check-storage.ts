import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { BOUNDS } from '../domain/bounds';
import { StorageError } from '../domain/errors';
import { readWithin } from '../lib/streams';
import type { BackupStorage } from '../ports/backup-storage';

/** Stores a small object, reads, lists and deletes it, as a backup, a restore and its retention will. Rejects as the storage does. */
export async function checkStorage(storage: BackupStorage): Promise<void> {
  const key = `check-${randomUUID()}`;
  const written = Buffer.from(`diun-pilot check ${key}\n`);
  await storage.put(key, Readable.from([written]));
  const back = await readWithin(await storage.get(key), BOUNDS.storageCheck);
  const listed = await storage.list(key);
  await storage.delete(key);
  if (back.equals(written) && listed.length === 1) return;
  throw new StorageError('storage_refused', 'The backup storage does not return what was stored in it.');
}
