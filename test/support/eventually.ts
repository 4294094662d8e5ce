import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by a look that can tell that waiting is useless: broken, not slow. Ends `eventually` at once. */
export class Broken extends Error {}

/**
 * Asks again until `fn` neither throws nor gives a falsy answer. When the time is up the error says what never came and
 * what was seen last.
 */
export async function eventually<T>(
  what: string,
  fn: () => T | Promise<T>,
  { timeoutMs = 120_000, everyMs = 10 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown = 'it was never true';
  while (Date.now() < deadline) {
    try {
      const answer = await fn();
      if (answer) return answer;
    } catch (error) {
      if (error instanceof Broken) throw new Error(`Never: ${what}; broken: ${error.message}`, { cause: error });
      last = error;
    }
    await pause(everyMs);
  }
  const seen = last instanceof Error ? last.message : String(last);
  throw new Error(`Within ${timeoutMs} ms never: ${what}; last seen: ${seen}`, { cause: last });
}
