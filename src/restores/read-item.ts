import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BackupItem } from '../domain/backup';
import type { BackupStorage } from '../ports/backup-storage';

/** What was backed up, after decompression. Fails where it is cut, and takes the stream from the storage along. */
export async function readItem(storage: BackupStorage, item: BackupItem): Promise<Readable> {
  const stored = await storage.get(item.key);
  const content = item.compression === 'gzip' ? createGunzip() : new PassThrough();
  stored.on('error', (error) => content.destroy(error));
  content.on('close', () => stored.destroy());
  return stored.pipe(content);
}
