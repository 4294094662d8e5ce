import { PilotError } from '../domain/errors';
import { wayOf, type DecidedBy, type Update } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { LinkUse, Store } from '../ports/store';

export type Decided = 'approve' | 'decline';

/** What holds an approved update up, with the reason; null: it starts as soon as it is its turn. */
export interface ApprovedStart {
  notBefore: string | null;
  inWindow: boolean;
  why: string | null;
}

interface Parts {
  store: Store;
  clock: Clock;
  logger: Logger;
}

/**
 * Writes the operator's decision, if the update still waits for one: of many at once exactly one counts, the others get
 * null. A declined digest is remembered in the same transaction, so that it is not offered again.
 */
export function recordDecision(
  { store, clock, logger }: Parts,
  update: Update,
  decided: Decided,
  by: DecidedBy,
  start: ApprovedStart = { notBefore: null, inWindow: false, why: null },
  seen: LinkUse | null = null,
): Update | null {
  const how = wayOf(by);
  const now = clock.now().toISOString();
  const recorded = store.transaction(() => {
    const status = decided === 'approve' ? 'queued' : 'declined';
    const approved = [`Approved ${how}.`, ...(start.why === null ? [] : [start.why])].join(' ');
    const reason = decided === 'approve' ? approved : `Declined ${how}. ${update.container} stays as it is.`;
    const { notBefore, inWindow } = decided === 'approve' ? start : { notBefore: null, inWindow: false };
    const changed = store.updates.decide(update.id, { status, reason, by, now, notBefore, inWindow, seen });
    if (changed?.status === 'declined' && changed.container !== null && changed.to.digest !== null) {
      const { container, to, id } = changed;
      store.refusals.add({ container, digest: to.digest as string, why: 'declined', updateId: id, at: now });
    }
    return changed;
  });
  if (recorded !== null)
    logger.info('decided by the operator', {
      ...{ update: update.id, container: update.container, decided, by, notBefore: recorded.notBefore },
    });
  return recorded;
}

/** By id, once the registry has confirmed what is approved (`decisions/decide-by-id.ts`). Throws `update_not_found` and `not_waiting`. */
export function recordById(parts: Parts, id: string, decided: Decided, by: DecidedBy, start?: ApprovedStart): Update {
  const update = parts.store.updates.get(id);
  if (update === null)
    throw new PilotError('update_not_found', `There is no update ${id}: diun-pilot updates lists them.`);
  const recorded = recordDecision(parts, update, decided, by, start);
  if (recorded === null) {
    // What still stands as waiting has run out of time since it was looked at last.
    const state = update.status === 'awaiting_approval' ? 'expired' : update.status;
    throw new PilotError(
      'not_waiting',
      `The update of ${update.container} is not (or no longer) pending: it is ${state}.`,
    );
  }
  return recorded;
}
