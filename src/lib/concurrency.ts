import { setImmediate } from 'node:timers/promises';

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
