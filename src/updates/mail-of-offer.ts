import type { Plan } from '../domain/plan';
import type { Update } from '../domain/update';
import { criticalUpdateAvailable } from '../notifications/mails/critical-update-available';
import { updateAvailable } from '../notifications/mails/update-available';
import { postMail } from '../notifications/post-mail';
import type { UpdateDeps } from './run';

/**
 * The mail of a decision (contract, section 4): to be called in the transaction that stores it. The page behind a signed
 * link comes with the next version: until then a mail tells the commands.
 */
export function mailOfOffer(deps: UpdateDeps, update: Update, plan: Plan, replacesEarlier: boolean): void {
  const { store, publicUrl } = deps;
  const news = { update, plan, backup: null, publicUrl };
  const mail =
    update.status === 'awaiting_approval'
      ? criticalUpdateAvailable({ ...news, approvalUrl: null, replacesEarlier })
      : updateAvailable(news);
  postMail(store.outbox, mail);
}
