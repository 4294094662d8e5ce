import type { Readable, Transform } from 'node:stream';
import type { BackupItem, DatabaseProperties } from '../../domain/backups/backup';
import type { Container } from '../../domain/container';
import { messageOf, PilotError, type ErrorCode } from '../../domain/errors';

/** One thing to back up: where its bytes come from, and how they are proven to be whole. */
export interface ItemSource {
  container: Container;
  kind: BackupItem['kind'];
  name: string;
  compression: BackupItem['compression'];
  database?: DatabaseProperties | null;
  /** For people: `database app of postgres-1`. */
  title: string;
  /** What to look at when its reading fails. */
  advice: string;
  /** What to do instead, where the words of a failure tell its cause; null: they do not. */
  explain?(words: string): string | null;
  /** The bytes before compression. The stream ends only when all of it was read without an error. */
  open(): Promise<Readable>;
  /**
   * Reads the bytes to their very end, as what they are, on their way to the storage and before compression. A new one for each
   * reading. What was stored is then read back and compared with what was sent, byte for byte by its hash.
   */
  along(): Along;
}

/** What reads the bytes of an item on their way to the storage: they are proven to be whole while they are taken. */
export interface Along {
  /** Passes the bytes on unchanged, at the pace of the slower of its two readers. */
  through: Transform;
  /** To be asked once all has passed. */
  finding(): Promise<Finding>;
}

/** `words`: what was read (`812 entries`), or what is wrong with it. */
export interface Finding {
  whole: boolean;
  words: string;
}

export function notWhole(title: string, why: string): PilotError {
  return new PilotError(
    'backup_not_verified',
    `The backup of ${title} could not be read to its end: ${why}. Take another one with diun-pilot backup. If it happens again, check the log of the container.`,
  );
}

export function notVerified(title: string, why: string, cause?: unknown): PilotError {
  return new PilotError(
    'backup_not_verified',
    `The stored backup of ${title} could not be verified: ${why}. Take another one with diun-pilot backup. If it happens again, check the backup storage.`,
    { cause },
  );
}

/** `engine_unreachable` stays what it is: an update that waits for its engine is not a failed one. */
const KEPT: readonly ErrorCode[] = [
  'backup_failed',
  'backup_not_verified',
  'storage_full',
  'storage_refused',
  'storage_unreachable',
  'engine_unreachable',
];

/** Any error of a backup as one of the codes that `takeBackup` promises; `prefix` says what could not be done. */
export function asBackupError(error: unknown, prefix = 'The backup failed', advice = ''): PilotError {
  if (error instanceof PilotError && KEPT.includes(error.code)) return error;
  const message = `${prefix}: ${messageOf(error).replace(/\.$/, '')}. ${advice}`.trim();
  return new PilotError('backup_failed', message, { cause: error });
}
