import { approvalUrl } from '../approvals/links';
import { surroundingsOf } from '../approvals/read-approval';
import { pageUrl } from '../approvals/view-link';
import type { Deps } from '../deps';
import type { Plan } from '../domain/plan/plan';
import type { Update } from '../domain/update';
import { criticalUpdateAvailable } from '../notifications/mails/critical-update-available';
import { offerSuperseded } from '../notifications/mails/offer-superseded';
import { updateAvailable } from '../notifications/mails/update-available';
import { postWithinLimit } from '../notifications/post-within-limit';

/**
 * The mail of a decision (contract, section 4), with the signed link where it waits: to be called in the transaction that
 * stores it. `replaced`: the earlier offer that it supersedes.
 */
export function mailOfOffer(deps: Deps, update: Update, plan: Plan, replaced: Update | null): void {
  postWithinLimit(deps, update, (summarised) => {
    const news = {
      update,
      plan,
      backup: null,
      page: pageUrl(deps, update),
      summarised,
      observes: deps.mode === 'observe',
    };
    return update.status === 'awaiting_approval'
      ? criticalUpdateAvailable({
          ...news,
          approvalUrl: approvalUrl(deps, update),
          surroundings: surroundingsOf(deps.store, update),
          replaces: replaced?.to ?? null,
        })
      : updateAvailable(news);
  });
}

/** The notice that a link is no longer valid; only for an update that was offered. */
export function mailOfSuperseded(deps: Deps, update: Update): void {
  if (update.approval === null) return;
  postWithinLimit(deps, update, (summarised) =>
    offerSuperseded({ update, plan: null, backup: null, page: '', summarised }),
  );
}
