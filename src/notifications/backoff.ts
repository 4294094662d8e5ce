const SHORTEST_MS = 1_000;
const LONGEST_MS = 15 * 60_000;

/**
 * The delay after the `attempt`th failure in a row (1 is the first): doubling from 1 s to 15 min, at a random point in
 * its upper half, so that mails that failed together are not retried together.
 * `random`: in [0, 1).
 */
export function retryDelayMs(attempt: number, random: number): number {
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(attempt, 20));
  return Math.round(longest / 2 + (longest / 2) * random);
}
