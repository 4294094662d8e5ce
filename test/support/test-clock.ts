import type { Clock } from '../../src/lib/clock';

interface Sleeper {
  /** A tick: a timer does not wait longer since the clock was set back. */
  dueAt: number;
  wake: () => void;
}

/**
 * A clock that stands still until it is moved. Auto-advancing (the default): whenever the code under test has nothing left
 * to do but sleep, time jumps to the earliest sleeper. Manual: `advance` moves it. Time that passes moves the wall clock and
 * the tick (monotonic time, as the kernel keeps it); a clock that is set back moves the wall clock alone.
 */
export class TestClock implements Clock {
  #now: number;
  #tick = 0;
  #sleepers: Sleeper[] = [];
  #autoAdvance: boolean;
  #scheduled = false;

  constructor(options: { start?: string; autoAdvance?: boolean } = {}) {
    this.#now = Date.parse(options.start ?? '2026-01-05T03:00:00.000Z');
    this.#autoAdvance = options.autoAdvance ?? true;
  }

  now(): Date {
    return new Date(this.#now);
  }

  /** Milliseconds that have passed; never goes back. */
  tick(): number {
    return this.#tick;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const sleeper: Sleeper = { dueAt: this.#tick + ms, wake: () => undefined };
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason as Error);
      };
      sleeper.wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
      this.#schedule();
    });
  }

  /** Moves time on, waking every sleeper that falls due on the way, in order. Less than 0: the clock is set back. */
  async advance(ms: number): Promise<void> {
    if (ms < 0) this.#now += ms;
    const end = this.#tick + Math.max(0, ms);
    for (let next = this.#earliest(); next && next.dueAt <= end; next = this.#earliest()) {
      this.#wake(next);
      await settle();
    }
    this.#passTo(end);
    await settle();
  }

  #passTo(tick: number): void {
    const passed = Math.max(0, tick - this.#tick);
    this.#tick += passed;
    this.#now += passed;
  }

  #earliest(): Sleeper | undefined {
    return [...this.#sleepers].sort((a, b) => a.dueAt - b.dueAt)[0];
  }

  #wake(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    this.#passTo(sleeper.dueAt);
    sleeper.wake();
  }

  #schedule(): void {
    if (!this.#autoAdvance || this.#scheduled) return;
    this.#scheduled = true;
    void settle().then(() => {
      this.#scheduled = false;
      const next = this.#earliest();
      if (next) this.#wake(next);
      if (this.#sleepers.length > 0) this.#schedule();
    });
  }
}

/** Lets everything that can run without time passing run first: promises, and a few turns of the event loop for streams. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
