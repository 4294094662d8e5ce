import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { BOUNDS } from '../../domain/bounds';
import { messageOf, StorageError } from '../../domain/errors';
import { readWithin } from '../../lib/streams';

/** One repository, as restic's own variables name it. */
export interface Repository {
  /** Without credentials, for people. */
  name: string;
  /** For the program, whole: `RESTIC_REPOSITORY`, `RESTIC_PASSWORD`, those of the backend. */
  env: Readonly<Record<string, string>>;
  /** The program; another path in tests. */
  program: string;
  /** How long another process may hold the lock of the repository, in all; and how long between two tries. */
  patience: { lockMs: number; againMs: number };
  /** After how much silence of the backend a transfer is ended. */
  silenceMs: number;
}

/** restic itself tries a backend that does not answer for 15 minutes. */
const ENDS_WITHIN_MS = 1_800_000;

export type ResticProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export interface Ended {
  code: number;
  stderr: string;
}

/** Starts restic. `ended` resolves with its code, also when it could not be started (127). */
export function startRestic(
  repository: Repository,
  args: readonly string[],
): { child: ResticProcess; ended: Promise<Ended> } {
  const child = spawn(repository.program, ['--quiet', ...args], {
    env: repository.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // What restic no longer reads is reported by its end.
  child.stdin.on('error', () => undefined);
  const stderr = readWithin(child.stderr, BOUNDS.resticOutput).then((said) => said.toString('utf8'), messageOf);
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', (code) => resolve(code ?? 1));
  });
  return { child, ended: ended.then(async (code) => ({ code, stderr: await stderr })) };
}

/**
 * Runs a command that reads nothing, to its end; answers what it printed. While another process holds the repository's lock, it is
 * tried again, and locks of processes that no longer exist are removed. Rejects with a `StorageError`.
 */
export async function restic(repository: Repository, args: readonly string[], key = ''): Promise<string> {
  const { lockMs, againMs } = repository.patience;
  for (let waited = 0; ; waited += againMs) {
    const { child, ended } = startRestic(repository, args);
    child.stdin.end();
    const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
    const [printed, { code, stderr }] = await Promise.all([
      readWithin(child.stdout, BOUNDS.resticOutput, listTooLarge),
      ended,
    ]);
    clearTimeout(late);
    if (code === 0) return printed.toString('utf8');
    if (!isLocked(stderr) || waited >= lockMs) throw resticStorageError(repository, { code, stderr }, key);
    await removeStaleLocks(repository);
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

function listTooLarge(error: Error): StorageError {
  return new StorageError('storage_unreachable', `What restic lists cannot be read: ${error.message}.`, {
    cause: error,
  });
}

/** Only those that restic knows to be stale: their process is gone, or they are older than half an hour. */
async function removeStaleLocks(repository: Repository): Promise<void> {
  const { child, ended } = startRestic(repository, ['unlock']);
  child.stdin.end();
  child.stdout.resume();
  await ended; // whatever it says, the next try shows it
}

/** Lets restic remove its lock. Resolves when it has ended. */
export async function interrupt({ child, ended }: { child: ResticProcess; ended: Promise<Ended> }): Promise<void> {
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(late);
}

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
export function resticStorageError({ name }: { name: string }, { code, stderr }: Failed, key: string): StorageError {
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
      'If no restic runs on any machine, remove the locks: restic unlock --remove-all. diun-pilot retries with the next backup.';
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
  if (/no matching ID|no snapshot found|path .{0,300} not found|cannot dump/i.test(stderr)) {
    return new StorageError('object_not_found', `${key} is not in the restic repository ${name}.`);
  }
  return new StorageError('storage_unreachable', `restic ended with code ${code}: ${lastLine(stderr)}`);
}

function lastLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^Fatal/i.test(line)) ?? lines.at(-1) ?? 'it said nothing').slice(0, 300);
}
