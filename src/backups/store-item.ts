import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Progress } from '../lib/progress';
import type { BackupStorage } from '../ports/backup-storage';
import { asBackupError } from './backup-error';
import { ByteMeter } from './byte-meter';
import { progressInWords } from './bytes-in-words';
import type { ItemSource } from './sources/item-source';

/** The fastest level: measured on files that are compressed already, and on text, the higher ones cost more than they save. */
const GZIP_LEVEL = 1;

interface Into {
  storage: BackupStorage;
  onProgress: Progress;
}

/**
 * Streams one item into the storage, with back-pressure from the storage to the container and no copy on this disk.
 * Resolves with the size and SHA-256 of what was stored; rejects with the first error, whosever it was.
 */
export async function storeItem(
  into: Into,
  source: ItemSource,
  key: string,
): Promise<{ bytes: number; sha256: string }> {
  try {
    return await stream(into, source, key);
  } catch (error) {
    throw asBackupError(error, `${capitalised(source.title)} could not be backed up`, source.advice);
  }
}

async function stream({ storage, onProgress }: Into, source: ItemSource, key: string): ReturnType<typeof storeItem> {
  const content = await source.open();
  const meter = new ByteMeter(progressInWords(onProgress, `storing ${source.title}`));
  const between = [
    ...(source.tap === undefined ? [] : [source.tap]),
    ...(source.compression === 'gzip' ? [createGzip({ level: GZIP_LEVEL })] : []),
  ];
  const flow = pipeline([content, ...between, meter]);
  const upload = storage.put(key, meter).catch((error: unknown) => {
    meter.destroy();
    throw error;
  });
  const [flowed, stored] = await Promise.allSettled([flow, upload]);
  // The storage promises to reject with the first error, also when it was the stream's.
  if (stored.status === 'rejected') throw stored.reason;
  if (flowed.status === 'rejected') throw flowed.reason;
  return meter.total();
}

function capitalised(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}
