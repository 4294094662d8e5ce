import { capitalised, formatTimeout } from '../domain/format';
import { posix } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { BackupItem } from '../domain/backups/backup';
import { messageOf, PilotError } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger, Progress } from '../lib/logger';
import { watchSource } from '../lib/streams';
import type { BackupStorage } from '../ports/backup-storage';
import { asBackupError, notVerified, notWhole, type Finding, type ItemSource } from './sources/item-source';
import { ByteMeter, byteProgress } from './byte-meter';
import { TornTar } from './sources/tar-entries';

/** The fastest level: measured on files that are compressed already, and on text, the higher ones cost more than they save. */
const GZIP_LEVEL = 1;

/** How often an item is read whose file gets shorter meanwhile, and the pause before each further time. */
const READINGS = 3;
const BETWEEN_READINGS_MS = 2_000;

/** Longer than a disk takes to wake up, or pg_dump to read the catalog of a large database. Writers may be stopped meanwhile. */
const SILENCE_MS = 10 * 60_000;

/** `verified`: what was found in it (`812 entries`). */
export interface Sent {
  bytes: number;
  sha256: string;
  verified: string;
}

interface Into {
  storage: BackupStorage;
  clock: Pick<Clock, 'sleep'>;
  logger: Pick<Logger, 'warn'>;
  onProgress: Progress;
  /** How long a source may give no byte. Left out: ten minutes. */
  silenceMs?: number;
}

/**
 * Streams one item into the storage, with back-pressure from the storage to the container and no copy on this disk.
 * What passes is read to its end as what it is; an item whose file gets shorter meanwhile is read again. Resolves with the
 * size and SHA-256 of what was sent, and what was found in it; rejects with the first error, whosever it was, and of a file
 * that cannot be read with its name. A source that gives nothing for too long is an error: a network file system whose server
 * is gone never answers, and writers may be stopped until it does.
 */
export async function storeItem(into: Into, source: ItemSource, key: string): Promise<Sent> {
  for (let reading = 1; ; reading++) {
    try {
      return await stream(into, source, key);
    } catch (error) {
      if (!(error instanceof TornTar)) {
        const advice = source.explain?.(messageOf(error)) ?? source.advice;
        throw asBackupError(error, `${capitalised(source.title)} could not be backed up`, advice);
      }
      if (reading === READINGS) throw notReadable(source, error);
      into.logger.warn('the archive was cut, and is read again', { item: source.title, reason: error.message });
      await into.clock.sleep(BETWEEN_READINGS_MS);
    }
  }
}

function notReadable(source: ItemSource, torn: TornTar): PilotError {
  const file = torn.inside === null ? 'a file' : posix.join(posix.dirname(source.name), torn.inside);
  const advice =
    'The file shrinks while it is read, or cannot be read. Stop the program that writes to it during the backup, or name other folders in the label backup.paths. If no program writes to it, the log of the Docker Engine has the reason.';
  return new PilotError(
    'backup_failed',
    `${capitalised(source.title)} could not be backed up: the archive ended inside ${file}, ${READINGS} times. ${advice}`,
    { cause: torn },
  );
}

async function stream(into: Into, source: ItemSource, key: string): Promise<Sent> {
  const { storage, onProgress, silenceMs = SILENCE_MS } = into;
  const content = await source.open();
  const along = source.along();
  const meter = new ByteMeter(byteProgress(onProgress, `storing ${source.title}`));
  const compress = source.compression === 'gzip' ? [createGzip({ level: GZIP_LEVEL })] : [];
  const flow = pipeline([content, along.through, ...compress, meter]);
  const silence = watchSource(content, silenceMs, () => content.destroy(new Error(nothingFor(silenceMs))));
  const upload = storage.put(key, meter).catch((error: unknown) => {
    meter.destroy();
    throw error;
  });
  const [flowed, stored] = await Promise.allSettled([flow, upload]);
  silence.stop();
  if (flowed.status === 'rejected' && flowed.reason instanceof TornTar) throw flowed.reason;
  // The storage promises to reject with the first error, also when it was the stream's.
  if (stored.status === 'rejected') throw stored.reason;
  if (flowed.status === 'rejected') throw flowed.reason;
  const finding = await along.finding();
  const sent = meter.total();
  // Asked first: emptiness is named as such, and not by what pg_restore makes of it.
  if (sent.bytes === 0) throw notWhole(source.title, 'it is empty');
  if (!finding.whole) throw notWhole(source.title, finding.words);
  return { ...sent, verified: finding.words };
}

function nothingFor(ms: number): string {
  return `nothing could be read for ${formatTimeout(ms)}`;
}

/** Its hash is compared by the caller. */
function toItsEnd({ verified }: BackupItem): NonNullable<Verified['verify']> {
  return async (content) => {
    for await (const chunk of content) void chunk;
    return { whole: true, words: verified };
  };
}

interface From {
  storage: BackupStorage;
  onProgress: Progress;
}

interface Verified extends Pick<ItemSource, 'title' | 'advice'> {
  /** Reads what was stored, after decompression, to its very end. Missing: it was read so when it was sent. */
  verify?(content: AsyncIterable<Buffer>): Promise<Finding>;
}

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
    const verify = source.verify?.bind(source);
    const content = verify !== undefined && item.compression === 'gzip' ? createGunzip() : new PassThrough();
    let finding: Finding = { whole: false, words: 'it was not read' };
    await pipeline(await storage.get(item.key), meter, content, async (bytes: AsyncIterable<Buffer>) => {
      finding = await (verify ?? toItsEnd(item))(bytes);
    });
    return finding;
  } catch (error) {
    if (!(error instanceof PilotError) || error.code === 'object_not_found') {
      throw notVerified(source.title, messageOf(error).replace(/\.$/, ''), error);
    }
    throw asBackupError(error, `The stored backup of ${source.title} could not be verified`, source.advice);
  }
}
