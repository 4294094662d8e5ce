import { approvalUrl } from '../approvals/links';
import { surroundingsOf } from '../approvals/read-approval';
import type { Deps } from '../deps';
import type { Plan } from '../domain/plan/plan';
import type { Update } from '../domain/update';
import { criticalUpdateAvailable } from '../notifications/mails/critical-update-available';
import { offerSuperseded } from '../notifications/mails/offer-superseded';
import { updateAvailable } from '../notifications/mails/update-available';
import { postMail } from '../notifications/post-mail';

/**
 * The mail of a decision (contract, section 4), with the signed link where it waits: to be called in the transaction that
 * stores it. `replaced`: the earlier offer that it supersedes.
 */
export function mailOfOffer(deps: Deps, update: Update, plan: Plan, replaced: Update | null): void {
  const { store, publicUrl } = deps;
  const news = { update, plan, backup: null, publicUrl };
  const mail =
    update.status === 'awaiting_approval'
      ? criticalUpdateAvailable({
          ...news,
          approvalUrl: approvalUrl(deps, update),
          surroundings: surroundingsOf(store, update),
          replaces: replaced?.to ?? null,
        })
      : updateAvailable(news);
  postMail(store.outbox, mail);
}

/** The notice that a link does not hold any more; of what nobody was asked about there is none. */
export function mailOfSuperseded({ store, publicUrl }: Deps, update: Update): void {
  if (update.approval === null) return;
  postMail(store.outbox, offerSuperseded({ update, plan: null, backup: null, publicUrl }));
}
