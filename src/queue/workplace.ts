import { endInterruptedBackups } from '../backups/backup-queue';
import type { Deps } from '../deps';
import type { Delivery } from '../notifications/deliver';
import { startWorker, type Worker } from './worker';

const ASK_FOR_LOCK_EVERY_MS = 2_000;
/** Within the 10 s that Docker gives a container to stop. */
const LEAVE_WITHIN_MS = 7_000;

export interface Workplace {
  /** Takes the lock and begins to work. False: another process holds it. Already at work: true. */
  enter(): boolean;
  /** Enters as soon as the lock is free (it is tried every two seconds), and runs the timers from then on. */
  enterWhenFree(): void;
  wake(): void;
  /** Stops working and gives the lock back; resolves with whether all that was under way has ended. */
  leave(): Promise<boolean>;
  state(): { status: 'ok' | 'degraded'; reason?: string };
}

interface Parts {
  deps: Deps;
  delivery: Delivery;
  takeLock(): { release(): void } | null;
  /** Only the service runs timers and watches the engine, and only while it holds the lock; a command of a moment never does. */
  startTimers(wake: () => void): { stop(): void };
  watchEngine(): { stop(): void };
}

/** The worker of a data directory: the process that holds its lock decides, updates, backs up and delivers. */
export function createWorkplace(parts: Parts): Workplace {
  return new LockedWorkplace(parts);
}

class LockedWorkplace implements Workplace {
  #lock: { release(): void } | null = null;
  #worker: Worker | null = null;
  #asking: NodeJS.Timeout | null = null;
  #timers: { stop(): void } | null = null;
  #engineWatch: { stop(): void } | null = null;

  constructor(private readonly parts: Parts) {}

  enter(): boolean {
    if (this.#worker !== null) return true;
    this.#lock = this.parts.takeLock();
    if (this.#lock === null) return false;
    endInterruptedBackups(this.parts.deps);
    this.#worker = startWorker(this.parts.deps);
    this.parts.delivery.start();
    return true;
  }

  enterWhenFree(): void {
    if (this.#serve()) return;
    this.parts.deps.logger.warn('another process uses this data directory; waiting for its end');
    const asking = setInterval(() => {
      if (this.#serve()) clearInterval(asking);
    }, ASK_FOR_LOCK_EVERY_MS);
    this.#asking = asking;
  }

  #serve(): boolean {
    if (!this.enter()) return false;
    this.#timers ??= this.parts.startTimers(() => this.wake());
    this.#engineWatch ??= this.parts.watchEngine();
    return true;
  }

  wake(): void {
    this.#worker?.wake();
  }

  async leave(): Promise<boolean> {
    if (this.#asking !== null) clearInterval(this.#asking);
    this.#timers?.stop();
    this.#engineWatch?.stop();
    if (this.#worker === null) return true;
    const ended = await endedWithin(this.#worker.stop(), LEAVE_WITHIN_MS);
    await this.parts.delivery.stop();
    if (ended) this.#lock?.release();
    return ended;
  }

  state(): ReturnType<Workplace['state']> {
    return this.#worker?.state() ?? { status: 'degraded', reason: 'another diun-pilot uses this data directory' };
  }
}

function endedWithin(work: Promise<void>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
