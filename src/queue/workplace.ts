import { endInterruptedBackups } from '../backups/run-next-backup';
import type { Deps } from '../deps';
import type { Delivery } from '../notifications/deliver';
import { startWorker, type Worker } from './worker';

const ASK_FOR_LOCK_EVERY_MS = 2_000;
/** Within the 10 s that Docker gives a container to stop. */
const LEAVE_WITHIN_MS = 7_000;

export interface Workplace {
  /** Takes the lock and begins to work. False: another process holds it. Already at work: true. */
  enter(): boolean;
  /** Enters as soon as the lock is free, asked for every two seconds, and runs the timers from then on. */
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
  /** Only the service runs timers, and only while it holds the lock; a command of a moment never does. */
  startTimers(wake: () => void): { stop(): void };
}

/** The one place where a data directory is worked: whoever holds its lock decides, updates, backs up and delivers. */
export function createWorkplace({ deps, delivery, ...parts }: Parts): Workplace {
  let lock: { release(): void } | null = null;
  let worker: Worker | null = null;
  let asking: NodeJS.Timeout | null = null;
  let timers: { stop(): void } | null = null;

  const enter = (): boolean => {
    if (worker !== null) return true;
    lock = parts.takeLock();
    if (lock === null) return false;
    endInterruptedBackups(deps);
    worker = startWorker(deps);
    delivery.start();
    return true;
  };

  const wake = (): void => worker?.wake();
  const serve = (): boolean => {
    if (!enter()) return false;
    timers ??= parts.startTimers(wake);
    return true;
  };

  return {
    enter,
    enterWhenFree: () => {
      if (serve()) return;
      deps.logger.warn('another process works this data directory; waiting for its end');
      asking = setInterval(() => {
        if (serve() && asking !== null) clearInterval(asking);
      }, ASK_FOR_LOCK_EVERY_MS);
    },
    wake,
    leave: async () => {
      if (asking !== null) clearInterval(asking);
      timers?.stop();
      if (worker === null) return true;
      const ended = await endedWithin(worker.stop(), LEAVE_WITHIN_MS);
      await delivery.stop();
      if (ended) lock?.release();
      return ended;
    },
    state: () =>
      worker === null ? { status: 'degraded', reason: 'another diun-pilot works this data directory' } : worker.state(),
  };
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
