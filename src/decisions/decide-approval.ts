import type { DecisionOutcome } from '../approvals/approval-view';
import { surroundingsOf, updateOf, whyClosed } from '../approvals/read-approval';
import { recordDecision, type Decided } from '../approvals/record-decision';
import type { Deps } from '../deps';
import { refuseWhileObserving } from '../domain/mode';
import type { Update } from '../domain/update';
import type { LinkUse } from '../ports/store';
import { confirmApproval } from './confirm-approval';
import { offerAgain } from './reoffer/offer-again';
import { startInWindow } from './start-in-window';

export interface Answer {
  decision: Decided | 'window';
  /** What was typed as the container's name. */
  name: string | null;
  /** For the audit trail. */
  seen?: LinkUse;
}

/**
 * The button of the page that a link opened. Approved is exactly what the page showed: if the tag names another digest
 * by now, or the container runs another one, nothing is applied and what is new is offered again. A registry that does
 * not answer keeps the approval waiting in the queue: the start asks again. Throws `observe_mode`.
 */
export async function decideApproval(deps: Deps, token: string, answer: Answer): Promise<DecisionOutcome> {
  const update = updateOf(deps, token);
  if (update === null) return { kind: 'unknown' };
  const closed = whyClosed(deps, update);
  if (closed !== null) return { kind: 'closed', why: closed, update };
  const approved = answer.decision !== 'decline';
  if (approved) refuseWhileObserving(deps.mode, 'Nothing was approved.');
  const start = answer.decision === 'window' ? startInWindow(deps, update.id) : undefined;
  if (approved) {
    const plan = deps.store.updates.plan(update.id);
    if (plan === null) return { kind: 'unknown' };
    if (plan.holdsData && answer.name?.trim() !== update.container) {
      return { kind: 'name_needed', update, plan, surroundings: surroundingsOf(deps.store, update) };
    }
    const confirmed = await confirmApproval(deps, update);
    if (confirmed.kind === 'different') return moved(deps, update);
    if (confirmed.kind === 'unknown') return { kind: 'refused', update, reason: confirmed.reason };
  }
  const recorded = recordDecision(deps, update, approved ? 'approve' : 'decline', 'link', start, answer.seen ?? null);
  if (recorded !== null) return { kind: approved ? 'approved' : 'declined', update: recorded };
  return nowClosed(deps, update.id);
}

async function moved(deps: Deps, update: Update): Promise<DecisionOutcome> {
  await offerAgain(deps, update);
  const now = deps.store.updates.get(update.id) as Update;
  const closed = whyClosed(deps, now);
  return closed === 'superseded' ? { kind: 'moved', update: now } : nowClosed(deps, update.id);
}

/** Another decision was faster. */
function nowClosed(deps: Deps, id: string): DecisionOutcome {
  const update = deps.store.updates.get(id) as Update;
  return { kind: 'closed', why: whyClosed(deps, update) ?? 'superseded', update };
}
