import { z } from 'zod';
import { StorageError } from '../../domain/errors';
import { DAY_MS } from '../../domain/format';
import { systemClock } from '../../lib/clock';
import {
  resticStorageError,
  interrupt,
  isLocked,
  missesRepository,
  restic,
  startRestic,
  type Repository,
} from './run-restic';

/** On every snapshot of ours; others may use the same repository. */
export const TAG = 'diun-pilot';

export interface Snapshot {
  id: string;
  key: string;
  /** When it started, milliseconds. */
  at: number;
  /** Null: it is not whole, or a crash came before that was noted. */
  bytes: number | null;
}

const listed = z.array(
  z.object({
    id: z.string().regex(/^[0-9a-f]{8,64}$/),
    time: z.string(),
    paths: z.array(z.string()).length(1),
    tags: z.array(z.string()).nullish(),
  }),
);

/** Ours only, oldest first: others may keep theirs in the same repository. None where there is no repository yet. */
export async function snapshots(repo: Repository, key?: string): Promise<Snapshot[]> {
  const path = key === undefined ? [] : ['--path', `/${key}`];
  try {
    return snapshotsIn(await restic(repo, ['snapshots', '--json', '--tag', TAG, ...path], key));
  } catch (error) {
    if (error instanceof StorageError && error.code === 'object_not_found') return [];
    throw error;
  }
}

/** Reads `restic snapshots --json`; oldest first. */
export function snapshotsIn(json: string): Snapshot[] {
  const read = listed.safeParse(parsed(json));
  if (!read.success) {
    throw new StorageError(
      'storage_unreachable',
      `restic lists its snapshots in an unknown form: ${read.error.message}`,
    );
  }
  return read.data
    .map(({ id, time, paths, tags }) => ({
      id,
      key: (paths[0] ?? '').slice(1),
      at: Date.parse(time),
      bytes: bytesIn(tags ?? []),
    }))
    .sort((a, b) => a.at - b.at);
}

export function finishedIn(all: readonly Snapshot[]): (Snapshot & { bytes: number })[] {
  return all.filter((each): each is Snapshot & { bytes: number } => each.bytes !== null);
}

export function unfinishedIn(all: readonly Snapshot[]): Snapshot[] {
  return all.filter(({ bytes }) => bytes === null);
}

function bytesIn(tags: readonly string[]): number | null {
  const found = tags.map((tag) => /^bytes=(\d+)$/.exec(tag)?.[1]).find((bytes) => bytes !== undefined);
  return found === undefined ? null : Number(found);
}

/** Without a snapshot some versions print `null`. */
function parsed(json: string): unknown {
  try {
    return (JSON.parse(json) as unknown) ?? [];
  } catch {
    return json;
  }
}

const LEFT_BEHIND_MS = DAY_MS;

/**
 * Frees the space of deleted objects. It needs the repository for itself, so it waits until nothing was used for a while, and whatever
 * is requested then goes first: it is interrupted, which is safe at any point, and done later.
 */
export class Prune {
  /** What an earlier process deleted is not known: so the first time counts. */
  private due = true;
  private running: ReturnType<typeof startRestic> | null = null;
  /** What a crash left is being forgotten, which takes an exclusive lock for a moment. */
  private beginning: Promise<void> = Promise.resolve();
  private inUse = 0;
  private usedAt = now();

  constructor(
    private readonly repository: Repository,
    private readonly quietMs: number,
  ) {}

  /** Something was deleted. */
  wanted(): void {
    this.due = true;
  }

  /** Everything else that is done with the repository. */
  async before<T>(work: () => Promise<T>): Promise<T> {
    this.inUse += 1;
    try {
      await this.beginning;
      if (this.running !== null) await interrupt(this.running);
      return await work();
    } finally {
      this.inUse -= 1;
      this.usedAt = now();
    }
  }

  /** Does nothing where nothing is due or the repository is in use. Rejects with a `StorageError`. */
  async run(signal: AbortSignal): Promise<void> {
    const quiet = this.inUse === 0 && now() - this.usedAt >= this.quietMs;
    if (!this.due || !quiet || this.running !== null || signal.aborted) return;
    const forgetting = this.forgetUnfinished();
    // This call reports its failure; a request only waits for its end.
    this.beginning = forgetting.catch(() => undefined);
    await forgetting;
    // What was requested meanwhile goes first.
    if (this.inUse > 0 || signal.aborted) return;
    this.running = startRestic(this.repository, ['prune']);
    const { child, ended } = this.running;
    const stop = (): void => void child.kill('SIGINT');
    signal.addEventListener('abort', stop);
    child.stdin.end();
    child.stdout.resume();
    const { code, stderr } = await ended;
    signal.removeEventListener('abort', stop);
    this.running = null;
    this.usedAt = now();
    if (code === 0) this.due = false;
    else if (!isLater(stderr) && this.inUse === 0 && !signal.aborted)
      throw resticStorageError(this.repository, { code, stderr }, '');
  }

  /** A crash leaves a snapshot without its size; one that is still being written is never a day old. */
  private async forgetUnfinished(): Promise<void> {
    const all = unfinishedIn(await snapshots(this.repository));
    const left = all.filter(({ at }) => now() - at > LEFT_BEHIND_MS).map(({ id }) => id);
    if (left.length > 0) await restic(this.repository, ['forget', ...left]);
  }
}

function isLater(stderr: string): boolean {
  return isLocked(stderr) || missesRepository(stderr) || /interrupt/i.test(stderr);
}

function now(): number {
  return systemClock.now().getTime();
}
