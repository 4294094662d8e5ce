import { approvalUrl, pageUrl } from './approval-links';
import { surroundingsOf } from './read-approval';
import type { Deps } from '../deps';
import type { Plan } from '../domain/plan/plan';
import type { Rehearsal } from '../domain/rehearsal/rehearsal';
import type { Approval, ImageAt, Update } from '../domain/update';
import { criticalUpdateAvailable } from '../notifications/mails/critical-update-available';
import { offerSuperseded } from '../notifications/mails/offer-superseded';
import { updateAvailable } from '../notifications/mails/update-available';
import { postWithinLimit } from '../notifications/post-within-limit';

/**
 * The mail of a decision (contract, section 4), with the signed link where it waits: to be called in the transaction that
 * stores it. `replaces`: the image of an earlier, announced offer that it supersedes. `rehearsal`: null, if it was not rehearsed.
 */
export function mailOfOffer(
  deps: Deps,
  update: Update,
  plan: Plan,
  replaces: ImageAt | null,
  rehearsal: Rehearsal | null = null,
): void {
  const decides = update.status === 'awaiting_approval';
  postWithinLimit(deps, update, decides ? 'critical_update_available' : 'update_available', (summarised) => {
    const news = {
      update,
      plan,
      backup: null,
      page: pageUrl(deps, update),
      summarised,
      rehearsal,
      observes: deps.mode === 'observe',
    };
    return decides
      ? criticalUpdateAvailable({
          ...news,
          approvalUrl: approvalUrl(deps, update),
          surroundings: surroundingsOf(deps.store, update),
          replaces,
        })
      : updateAvailable(news);
  });
}

/** The approval of an offer that waits from now on. */
export function waitingApproval({ clock, approvalTtlMs }: Deps): Approval {
  return {
    status: 'waiting',
    expiresAt: new Date(clock.now().getTime() + approvalTtlMs).toISOString(),
    decidedAt: null,
  };
}

/** The notice that a link is no longer valid; only for an update that was offered, and whose mail was posted. */
export function mailOfSuperseded(deps: Deps, update: Update): void {
  if (update.approval === null || deps.store.rehearsals.of(update.id)?.mail) return;
  postWithinLimit(deps, update, 'offer_superseded', (summarised) =>
    offerSuperseded({ update, plan: null, backup: null, page: '', summarised }),
  );
}
