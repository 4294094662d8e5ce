import { placeOf } from '../domain/backups/backup-place';
import type { NotYet, Surroundings } from '../domain/approval';
import type { Plan } from '../domain/plan/plan';
import type { Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Secret } from '../lib/secret';
import type { Store } from '../ports/store';
import { claimsOf, isSigned, updateIdIn } from './approval-links';

export interface ApprovalReader {
  store: Store;
  clock: Clock;
  approvalSecrets: readonly Secret[];
}

const PAST_UPDATES = 20;

/** What the holder of a link may see now. Reads only: opening a link, also by a scanner, changes nothing. */
export function readApproval(reader: ApprovalReader, token: string): ApprovalView {
  const update = updateOf(reader, token);
  if (update === null) return { kind: 'unknown' };
  const why = whyClosed(reader, update);
  if (why !== null) return { kind: 'closed', why, update };
  const plan = reader.store.updates.plan(update.id);
  if (plan === null) return { kind: 'unknown' };
  return { kind: 'open', update, plan, surroundings: surroundingsOf(reader.store, update) };
}

/** The update that a token admits to: signed by us, of the very digests and container that the update is of. */
export function updateOf({ store, approvalSecrets }: ApprovalReader, token: string): Update | null {
  const id = updateIdIn(token);
  const update = id === null ? null : store.updates.get(id);
  const claims = update === null ? null : claimsOf(update);
  return claims !== null && isSigned(approvalSecrets, token, claims) ? update : null;
}

/** The state decides; of one that still waits, the time. */
export function whyClosed({ clock }: Pick<ApprovalReader, 'clock'>, { status, approval }: Update): ClosedWhy | null {
  if (status === 'awaiting_approval') {
    return approval !== null && approval.expiresAt > clock.now().toISOString() ? null : 'expired';
  }
  if (approval?.status === 'waiting' || approval === null) return 'superseded';
  return approval.status;
}

/** What past updates and backups show about the next update of its container. */
export function surroundingsOf(store: Store, update: Update): Surroundings {
  const past = store.updates.past({ container: update.container ?? '', limit: PAST_UPDATES });
  const seconds = past
    .flatMap(({ status, awaySeconds }) => (status === 'succeeded' && awaySeconds !== null ? [awaySeconds] : []))
    .sort((a, b) => a - b);
  return {
    lastBackup: store.backups.lastSucceeded(placeOf({ project: update.project, name: update.container ?? '' })),
    releases: store.notesTexts.of(update.id),
    usualDowntimeSeconds: seconds[Math.floor(seconds.length / 2)] ?? null,
    past,
    rehearsal: store.rehearsals.of(update.id),
  };
}

/** What the holder of a link may see. `unknown` gives no reason: altered, of another purpose, or never issued. */
export type ApprovalView =
  | { kind: 'unknown' }
  | { kind: 'open'; update: Update; plan: Plan; surroundings: Surroundings }
  | { kind: 'closed'; why: ClosedWhy; update: Update };

export type ClosedWhy = 'approved' | 'declined' | 'expired' | 'superseded';

/** What came of pressing a button. */
export type DecisionOutcome =
  | { kind: 'unknown' }
  /** It had been decided, had expired or was superseded before. */
  | { kind: 'closed'; why: ClosedWhy; update: Update }
  /** The container holds data, and its name was not typed as it is. Nothing was decided. */
  | { kind: 'name_needed'; update: Update; plan: Plan; surroundings: Surroundings }
  /** Something must happen before anyone can approve it. Nothing was decided. */
  | { kind: 'not_yet'; update: Update; plan: Plan; surroundings: Surroundings; notYet: NotYet }
  | { kind: 'approved' | 'declined'; update: Update }
  /** The registry does not know what was to be approved. Nothing was decided. */
  | { kind: 'refused'; update: Update; reason: string }
  /** The tag or the container moved meanwhile: nothing is applied, a new offer was made if there is something to offer. */
  | { kind: 'moved'; update: Update };
