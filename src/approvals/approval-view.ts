import type { Surroundings } from '../domain/approval';
import type { Plan } from '../domain/plan/plan';
import type { Update } from '../domain/update';

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
  | { kind: 'approved' | 'declined'; update: Update }
  /** The registry does not know what was to be approved. Nothing was decided. */
  | { kind: 'refused'; update: Update; reason: string }
  /** The tag or the container moved meanwhile: nothing is applied, a new offer was made if there is something to offer. */
  | { kind: 'moved'; update: Update };
