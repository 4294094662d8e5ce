/** The only place that reads the time, so that tests can hold it. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Whether something is due that is put off by `withinMs` at most: at its time, and when that is further away, since the clock was
 * put back meanwhile. All in milliseconds; `at` and `now` since 1970.
 */
export function isDue(at: number, now: number, withinMs: number): boolean {
  return now >= at || at - now > withinMs;
}

/** Whether a time is less than `ms` ago. One that is still to come, of a clock that was ahead, is not: it would last until then. */
export function wasWithinLast(ms: number, time: Date, now: Date): boolean {
  return !isDue(time.getTime() + ms, now.getTime(), ms);
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};
