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
  const loop = new TurnLoop(task);
  loop.start();
  return loop;
}

class TurnLoop implements Loop {
  #stopping = false;
  #woken = false;
  #resting: { alarm: AbortController; wakeable: boolean } | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(private readonly task: LoopTask) {}

  start(): void {
    this.#ended = this.#run();
  }

  wake(): void {
    this.#woken = true;
    if (this.#resting?.wakeable) this.#resting.alarm.abort(new Error('woken'));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#resting?.alarm.abort(new Error('stopped'));
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false;
      await this.task.turn().then(
        (more) => (more ? undefined : this.#restUntilWoken()),
        (error: unknown) => this.#rest(this.task.failed(error), { wakeable: false }),
      );
    }
  }

  async #restUntilWoken(): Promise<void> {
    if (!this.#woken) await this.#rest(this.task.restMs, { wakeable: true });
    if (this.#woken) await this.#rest(this.task.gatherMs, { wakeable: false });
  }

  async #rest(ms: number, { wakeable }: { wakeable: boolean }): Promise<void> {
    if (this.#stopping) return;
    const alarm = new AbortController();
    this.#resting = { alarm, wakeable };
    await this.task.clock.sleep(ms, alarm.signal).catch(() => undefined); // woken or stopped
    this.#resting = null;
  }
}
