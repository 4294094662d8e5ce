import { setImmediate } from 'node:timers/promises';
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

/** What `work` makes of each item, in their order, with at most `most` of them in work at once. The first rejection rejects. */
export async function fewAtATime<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}

/** Lets pending work (a webhook, a probe) run between two pieces of synchronous work. */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
