import type { Clock } from './clock';

export interface Loop {
  /** Runs the task now rather than at its next turn. */
  wake(): void;
  /** Begins no further turn, and resolves when the one under way has ended. */
  stop(): Promise<void>;
}

export interface LoopTask {
  clock: Clock;
  /** Rest between two turns in which nothing was done; `wake` ends it. */
  restMs: number;
  /** After a wake, how long to wait for what comes with it: one turn for all. */
  gatherMs: number;
  /** One turn; true when there may be more to do at once. */
  turn(): Promise<boolean>;
  /** A turn threw: how long to rest before the next. No wake shortens that. */
  failed(error: unknown): number;
}

/** Turn after turn, one at a time, until stopped. */
export function startLoop(task: LoopTask): Loop {
  let stopping = false;
  let woken = false;
  let resting: { controller: AbortController; wakeable: boolean } | null = null;

  const rest = async (ms: number, wakeable: boolean): Promise<void> => {
    if (stopping || (wakeable && woken)) return;
    resting = { controller: new AbortController(), wakeable };
    await task.clock.sleep(ms, resting.controller.signal).catch(() => undefined); // woken or stopped
    resting = null;
  };

  const run = async (): Promise<void> => {
    while (!stopping) {
      woken = false;
      const done = await task.turn().then(
        (more) => ({ more }),
        (error: unknown) => ({ failedFor: task.failed(error) }),
      );
      if ('failedFor' in done) await rest(done.failedFor, false);
      else if (!done.more) {
        await rest(task.restMs, true);
        if (woken) await rest(task.gatherMs, false);
      }
    }
  };
  const ended = run();

  return {
    wake: () => {
      woken = true;
      if (resting?.wakeable) resting.controller.abort(new Error('woken'));
    },
    stop: async () => {
      stopping = true;
      resting?.controller.abort(new Error('stopped'));
      await ended;
    },
  };
}
