import type { ErrorCode } from '../domain/errors';
import { messageOf, PilotError } from '../domain/errors';

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
