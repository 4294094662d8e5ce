const SHORTEST_MS = 30_000;
const LONGEST_MS = 30 * 60_000;

/** When to ask again what has not answered since `since`: the rest doubles, from half a minute to half an hour. */
export function askAgainAt(since: Date, now: Date): string {
  const waited = now.getTime() - since.getTime();
  return new Date(now.getTime() + Math.min(Math.max(waited, SHORTEST_MS), LONGEST_MS)).toISOString();
}
