import type { ErrorCode } from '../errors';
import type { Update } from '../update';
import { DAY_MS, HOUR_MS } from '../format';

/** An expired offer is not repeated the next day. */
export const RESTS_EXPIRED_MS = 7 * DAY_MS;
/** What failed through no fault of the image is tried again the next day, and not at each start of the service. */
export const RESTS_FAILED_MS = 20 * HOUR_MS;
/** Fails in the same way until a person changes the host: it rests as long as an expired offer. */
export const NEEDS_A_CHANGE: readonly ErrorCode[] = ['recreate_refused', 'storage_needs_stopped'];

/** Whether a failed update to another tag is offered again: what the operator requests is requested once. */
export function isTagRetried({ source }: Pick<Update, 'source'>): boolean {
  return source !== 'operator';
}

const SHORTEST_MS = 30_000;
const LONGEST_MS = 30 * 60_000;

/** When to ask again what has not answered since `since`: the rest doubles, from half a minute to half an hour. */
export function askAgainAt(since: Date, now: Date): string {
  const waited = now.getTime() - since.getTime();
  return new Date(now.getTime() + Math.min(Math.max(waited, SHORTEST_MS), LONGEST_MS)).toISOString();
}
