import { PilotError, StorageError } from '../../domain/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** What the file system said, as the port's errors. Paths of this machine stay out of the message. */
export function asStorageError(error: unknown, key: string): PilotError {
  if (error instanceof PilotError) return error;
  const code = errnoOf(error);
  const options = { cause: error };
  if (code === 'ENOENT') return new StorageError('object_not_found', `${key} is not in the backup storage.`, options);
  if (FULL.has(code)) {
    const advice = 'Free some space there, or let PILOT_BACKUP_URL name a larger place.';
    return new StorageError('storage_full', `The backup folder is full (${code}). ${advice}`, options);
  }
  if (REFUSED.has(code)) return refusal(code, error);
  const advice = 'Look at the disk or the network share that PILOT_BACKUP_URL names.';
  return new StorageError('storage_unreachable', `The backup folder does not work (${code}). ${advice}`, options);
}

/** The same for what is being written: where nothing can be made, nothing is merely missing. */
export function asWriteError(error: unknown, key: string): PilotError {
  return hasCode(error, 'ENOENT') ? refusal('ENOENT', error) : asStorageError(error, key);
}

function refusal(code: string, cause: unknown): StorageError {
  const advice = 'The user that diun-pilot runs as must be able to write to the folder that PILOT_BACKUP_URL names.';
  return new StorageError('storage_refused', `The backup folder refuses access (${code}). ${advice}`, { cause });
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errnoOf(error));
}

function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
