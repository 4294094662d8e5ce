import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by a look that can tell that waiting is useless: broken, not slow. Ends `eventually` at once. */
export class Broken extends Error {}

/** Without a pace of its own a wait asks often at first, and comes at most this part of itself too late. */
const LATE = 0.05;
const LONGEST_PAUSE_MS = 1000;

/**
 * Asks again until `fn` neither throws nor gives a falsy answer. When the time is up the error says what never came and
 * what was seen last. `everyMs`: only to catch what passes; each look at an engine costs what the tests next to it need.
 */
export async function eventually<T>(
  what: string,
  fn: () => T | Promise<T>,
  { timeoutMs = 300_000, everyMs }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const begin = Date.now();
  const deadline = begin + timeoutMs;
  let last: unknown = 'it was never true';
  while (Date.now() < deadline) {
    try {
      const answer = await fn();
      if (answer) return answer;
    } catch (error) {
      if (error instanceof Broken) throw new Error(`Never: ${what}; broken: ${error.message}`, { cause: error });
      last = error;
    }
    await pause(everyMs ?? Math.min(LONGEST_PAUSE_MS, Math.max(10, (Date.now() - begin) * LATE)));
  }
  const seen = last instanceof Error ? last.message : String(last);
  throw new Error(`Within ${timeoutMs} ms never: ${what}; last seen: ${seen}`, { cause: last });
}
