import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BackupItem } from '../domain/backups/backup';
import { messageOf, PilotError } from '../domain/errors';
import type { Progress } from '../lib/progress';
import type { BackupStorage } from '../ports/backup-storage';
import { asBackupError } from './backup-error';
import { ByteMeter } from './byte-meter';
import { byteProgress } from './byte-progress';
import type { Finding, ItemSource } from './sources/item-source';
import { notVerified } from './sources/item-source';

interface From {
  storage: BackupStorage;
  onProgress: Progress;
}

type Verified = Pick<ItemSource, 'title' | 'advice' | 'verify'>;

/**
 * Reads one stored item back: the bytes must be those that were sent, and they must read to their end as what they are.
 * Resolves with the result as text; rejects with `backup_not_verified`.
 */
export async function verifyItem(from: From, source: Verified, item: BackupItem): Promise<string> {
  if (item.bytes === 0) throw notVerified(source.title, 'it is empty');
  const meter = new ByteMeter(byteProgress(from.onProgress, `reading back ${source.title}`));
  const finding = await readBack(from, source, item, meter);
  const { bytes, sha256 } = meter.total();
  // Asked first, so that damage is named as damage and not by its consequences.
  if (bytes !== item.bytes || sha256 !== item.sha256) {
    const sent = `${item.bytes} bytes (SHA-256 ${item.sha256})`;
    throw notVerified(source.title, `${sent} were sent, ${bytes} bytes (SHA-256 ${sha256}) came back`);
  }
  if (!finding.whole) throw notVerified(source.title, finding.words);
  return finding.words;
}

async function readBack({ storage }: From, source: Verified, item: BackupItem, meter: ByteMeter): Promise<Finding> {
  try {
    let finding: Finding = { whole: false, words: 'it was not read' };
    const content = item.compression === 'gzip' ? createGunzip() : new PassThrough();
    await pipeline(await storage.get(item.key), meter, content, async (bytes: AsyncIterable<Buffer>) => {
      finding = await source.verify(bytes);
    });
    return finding;
  } catch (error) {
    if (!(error instanceof PilotError) || error.code === 'object_not_found') {
      throw notVerified(source.title, messageOf(error).replace(/\.$/, ''), error);
    }
    throw asBackupError(error, `The stored backup of ${source.title} could not be verified`, source.advice);
  }
}
