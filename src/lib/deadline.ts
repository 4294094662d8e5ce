import type { Clock } from './clock';

/** Runs `work` with a signal that is aborted with `reason` after `ms` on the clock. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  reason: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  clock.sleep(ms, done.signal).then(
    () => deadline.abort(reason),
    () => undefined, // the work was faster
  );
  try {
    return await work(deadline.signal);
  } finally {
    done.abort();
  }
}
