import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BackupItem } from '../domain/backups/backup';
import type { PinnedStorage } from './pinned-storage';

/**
 * What was backed up, after decompression: the very bytes whose hash the manifest has. Fails where it is cut, and takes
 * the stream from the storage along. Rejects with `backup_not_verified`.
 */
export async function readItem(storage: PinnedStorage, item: BackupItem): Promise<Readable> {
  const stored = await storage.getPinned(item);
  const content = item.compression === 'gzip' ? createGunzip() : new PassThrough();
  stored.on('error', (error) => content.destroy(error));
  content.on('close', () => stored.destroy());
  return stored.pipe(content);
}
