import { PilotError } from '../../domain/errors';

const MOUNT = 'mount the folder of the project writable, at the same path, into the container of diun-pilot';

/** The error of the file system, as text for the operator. */
export function asRefusal(error: unknown, shown: string): PilotError {
  if (error instanceof PilotError) return error;
  return new PilotError('project_file_refused', refusalText(codeOf(error), shown), { cause: error });
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(codeOf(error));
}

function refusalText(code: string, shown: string): string {
  switch (code) {
    case 'EROFS':
      return `${shown} is mounted read-only: ${MOUNT}.`;
    case 'EBUSY':
      return `${shown} is mounted as a single file, so it cannot be replaced atomically: ${MOUNT}.`;
    case 'EACCES':
    case 'EPERM':
      return `The user that diun-pilot runs as may not read and replace ${shown} (${code}): mount the folder of the project writable, at the same path, and run diun-pilot as its owner (user: in its compose file).`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `${shown} is not there: ${MOUNT}.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk of ${shown} is full (${code}): make room there.`;
    default:
      return `${shown} cannot be read and replaced (${code}): look at its disk.`;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
