import { StorageError } from '../../domain/errors';

interface Failed {
  code: number;
  stderr: string;
}

/** Another process holds the lock of the repository (code 11 from restic 0.17 on). */
export function isLocked(stderr: string): boolean {
  return /repository is already locked|unable to create lock/i.test(stderr);
}

/** Nothing is there yet (code 10 from restic 0.17 on). */
export function missesRepository(stderr: string): boolean {
  return /is there a repository at the following location|unable to open config file|repository does not exist/i.test(
    stderr,
  );
}

/** What restic said, as the port's errors. Its text may have addresses of the backend, but no password. */
export function asStorageError({ name }: { name: string }, { code, stderr }: Failed, key: string): StorageError {
  if (code === 127) {
    return new StorageError(
      'storage_refused',
      'The program restic is missing: use the image of diun-pilot, which has it, or install restic 0.14 or newer.',
    );
  }
  if (/wrong password or no key found/i.test(stderr)) {
    return new StorageError(
      'storage_refused',
      `The password is not that of the restic repository ${name}: correct RESTIC_PASSWORD.`,
    );
  }
  if (missesRepository(stderr)) {
    const advice = 'The first backup creates it. To restore, correct PILOT_BACKUP_URL.';
    return new StorageError('object_not_found', `There is no restic repository at ${name}. ${advice}`);
  }
  if (isLocked(stderr)) {
    const advice =
      'If no restic runs on any machine, remove the locks: restic unlock --remove-all. diun-pilot tries again with the next backup.';
    return new StorageError(
      'storage_unreachable',
      `The restic repository ${name} is locked by another process. ${advice}`,
    );
  }
  if (/no space left|disk quota|file too large|insufficient (?:storage|space)/i.test(stderr)) {
    return new StorageError('storage_full', `The restic repository ${name} has no room left. Free some space there.`);
  }
  if (
    /permission denied|read-only file system|access denied|403 forbidden|401 unauthorized|signature|accessdenied/i.test(
      stderr,
    )
  ) {
    return new StorageError('storage_refused', `The restic repository ${name} refuses access: ${lastLine(stderr)}`);
  }
  if (/no matching ID|no snapshot found|path .* not found|cannot dump/i.test(stderr)) {
    return new StorageError('object_not_found', `${key} is not in the restic repository ${name}.`);
  }
  return new StorageError('storage_unreachable', `restic ended with code ${code}: ${lastLine(stderr)}`);
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^Fatal/i.test(line)) ?? lines.at(-1) ?? 'it said nothing').slice(0, 300);
}
