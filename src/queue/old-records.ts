import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { DAY_MS, plural } from '../domain/format';

const KEPT_MS = 90 * DAY_MS;

/** Notifications and delivered mails are kept for three months; the newest notification of an image always, because it identifies duplicates. */
export function removeOldRecords({ store, clock }: Pick<Deps, 'clock' | 'store'>): Promise<WorkOutcome> {
  const before = new Date(clock.now().getTime() - KEPT_MS).toISOString();
  const removed = [plural(store.inbox.prune(before), 'notification'), plural(store.outbox.prune(before), 'mail')];
  return Promise.resolve({ outcome: `Removed from the history: ${removed.join(', ')}.`, trouble: null });
}
