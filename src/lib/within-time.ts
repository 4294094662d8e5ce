import type { Clock } from './clock';

/** What `work` resolves with; after `ms` what `late` makes instead, while the work goes on unheeded. Rejects as either throws. */
export async function withinTime<T, L>(
  { clock, ms }: { clock: Clock; ms: number },
  work: () => Promise<T>,
  late: () => L,
): Promise<T | L> {
  const done = new AbortController();
  const timer = clock.sleep(ms, done.signal).then(late);
  timer.catch(() => undefined); // aborted when the work has ended; else the race reports it
  try {
    return await Promise.race([work(), timer]);
  } finally {
    done.abort();
  }
}
