import type { Clock } from './clock';

export interface Loop {
  /** Runs the task now rather than at its next turn. */
  wake(): void;
  /** Begins no further turn, and resolves when the one under way has ended. */
  stop(): Promise<void>;
}

export interface LoopTask {
  clock: Clock;
  /** Rest between two turns in which nothing was done. */
  restMs: number;
  /** One turn; true when there may be more to do at once. */
  turn(): Promise<boolean>;
  /** A turn threw: how long to rest before the next. */
  failed(error: unknown): number;
}

/** Turn after turn, one at a time, until stopped. */
export function startLoop(task: LoopTask): Loop {
  let stopping = false;
  let rest = new AbortController();
  let woken = false;

  const restFor = async (ms: number): Promise<void> => {
    if (woken || stopping) return;
    rest = new AbortController();
    const aborted = await task.clock.sleep(ms, rest.signal).then(
      () => false,
      () => true,
    );
    if (aborted) rest = new AbortController();
  };

  const run = async (): Promise<void> => {
    while (!stopping) {
      woken = false;
      const restMs = await task.turn().then(
        (more) => (more ? 0 : task.restMs),
        (error: unknown) => task.failed(error),
      );
      if (restMs > 0) await restFor(restMs);
    }
  };
  const ended = run();

  const interrupt = (): void => rest.abort(new Error('woken'));
  return {
    wake: () => {
      woken = true;
      interrupt();
    },
    stop: async () => {
      stopping = true;
      interrupt();
      await ended;
    },
  };
}
