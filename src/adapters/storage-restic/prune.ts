import { systemClock } from '../../lib/clock';
import { asStorageError, isLocked, missesRepository } from './restic-errors';
import { interrupt, restic, startRestic, type Repository } from './run-restic';
import { snapshots, unfinishedIn } from './snapshots';

const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/**
 * Frees the space of deleted objects. It needs the repository for itself, so it waits until nothing was used for a while, and whatever
 * is requested then goes first: it is interrupted, which is safe at any point, and done later.
 */
export class Prune {
  /** What an earlier process deleted is not known: so the first time counts. */
  private due = true;
  private running: ReturnType<typeof startRestic> | null = null;
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
    await this.forgetUnfinished();
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
      throw asStorageError(this.repository, { code, stderr }, '');
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
