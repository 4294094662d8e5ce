import { type Decided, recordById } from '../approvals/record-decision';
import type { Deps } from '../deps';
import { PilotError } from '../domain/errors';
import { refuseWhileObserving } from '../domain/mode';
import type { DecidedBy, Update } from '../domain/update';
import { confirmApproval } from './confirm-approval';
import { offerAgain } from './reoffer/offer-again';
import { startInWindow } from './start-in-window';

/**
 * The decision of the operator page and the command line. An approval holds for what the operator saw: a tag that moved
 * is offered again, and one that the registry does not know is refused. Throws `update_not_found`, `not_waiting`,
 * `observe_mode` and `registry_refused`.
 */
export async function decideById(deps: Deps, id: string, decided: Decided | 'window', by: DecidedBy): Promise<Update> {
  const update = deps.store.updates.get(id);
  if (decided !== 'decline' && update !== null) refuseWhileObserving(deps.mode, 'Nothing was approved.');
  if (decided !== 'decline' && update?.status === 'awaiting_approval') {
    const confirmed = await confirmApproval(deps, update);
    if (confirmed.kind === 'unknown') throw new PilotError('registry_refused', confirmed.reason);
    if (confirmed.kind === 'different') {
      await offerAgain(deps, update);
      throw new PilotError('not_waiting', `${confirmed.reason} Nothing was approved: see the newer offer.`);
    }
  }
  if (decided !== 'window') return recordById(deps, id, decided, by);
  return recordById(deps, id, 'approve', by, startInWindow(deps, id));
}
