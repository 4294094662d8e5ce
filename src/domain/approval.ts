import type { BackupRecord } from './backups/backup';
import type { PastUpdate, Update } from './update';
import { composeChangeText } from './plan/postgres-major';
import type { Plan } from './plan/plan';
import { isUnderWay, type Rehearsal, type RehearsalEnd, whyOutdated } from './rehearsal/rehearsal';
import type { Release } from './notes/release-notes';

/** Facts for the decision on an update, in addition to its plan. */
export interface Surroundings {
  /** The last verified backup of the project; null: none yet. */
  lastBackup: BackupRecord | null;
  /** How long the service was away in past updates of this container, in seconds (median); null: none yet. */
  usualDowntimeSeconds: number | null;
  /** The updates that it is the median of, and those that failed, newest first; left out: not looked up. */
  past?: PastUpdate[];
  /** The release notes that were read, newest first; left out: none. */
  releases?: readonly Release[];
  /** The free bytes on the disk of the engine while it is nearly full; null or left out: it has room, as far as is known. */
  disk?: number | null;
  /** The newest rehearsal of this update; null or left out: none was requested. */
  rehearsal?: Rehearsal | null;
}

/** What must happen before an update can be approved, by any way. */
export interface NotYet {
  code: 'rehearsal_required' | 'compose_change_required';
  /** As sentences, with what to do. */
  reason: string;
}

/**
 * A new PostgreSQL major is approved only after a rehearsal of that very digest passed at most a day ago: no one can override
 * that. Null: nothing stands in the way. Pure.
 */
export function whyNotYet(
  { newMajor }: Pick<Plan, 'newMajor'>,
  { id, to }: Pick<Update, 'id' | 'to'>,
  rehearsal: Rehearsal | null | undefined,
  now: Date,
): NotYet | null {
  if (newMajor === undefined) return null;
  if (newMajor.change !== null) return { code: 'compose_change_required', reason: composeChangeText(newMajor.change) };
  const missing = whyNotPassed(rehearsal ?? null, to.digest, now);
  if (missing === null) return null;
  const again = rehearsal && isUnderWay(rehearsal) ? '' : ` Rehearse again: diun-pilot rehearse ${id}`;
  return {
    code: 'rehearsal_required',
    reason: `PostgreSQL ${newMajor.to} needs a passed rehearsal first. ${missing}${again}`,
  };
}

/** Whether the name of the container was typed, as a decision needs it that puts data at risk. Pure. */
export function isNameOf({ container }: Pick<Update, 'container'>, typed: string | null): boolean {
  return typed?.trim() === container;
}

/** An approval for a container that holds data needs its name. Pure. */
export function isNameMissing(
  { holdsData }: Pick<Plan, 'holdsData'>,
  update: Pick<Update, 'container'>,
  typed: string | null,
): boolean {
  return holdsData && !isNameOf(update, typed);
}

const LAST: Record<Exclude<RehearsalEnd, 'passed'>, string> = {
  failed: 'failed',
  inconclusive: 'was inconclusive',
  skipped: 'was skipped',
};

function whyNotPassed(rehearsal: Rehearsal | null, digest: string | null, now: Date): string | null {
  if (rehearsal === null) return 'No rehearsal was requested.';
  if (isUnderWay(rehearsal)) return 'The rehearsal has not ended yet: wait for its verdict.';
  const outdated = whyOutdated(rehearsal, digest, now);
  if (outdated !== null) return outdated;
  const verdict = rehearsal.status as RehearsalEnd;
  if (verdict === 'passed') return null;
  return `The last rehearsal ${LAST[verdict]}: fix the cause that its details name.`;
}
