import type { Deps } from '../deps';
import type { Update } from '../domain/update';
import { restoreUrl } from '../approvals/restore-link';
import { pageUrl } from '../approvals/view-link';
import { updateFailed } from '../notifications/mails/update-failed';
import { updateSucceeded } from '../notifications/mails/update-succeeded';
import { postMail, postWithoutMail } from '../notifications/post-mail';
import { howItEnded } from './how-it-ended';
import { keptSentences } from './kept-sentences';
import { isQuarantined } from './quarantine';

/** The mail of a verdict (contract, section 4): to be called in the transaction that stores it. */
export function mailOfEnd(deps: Deps, update: Update): void {
  const { store } = deps;
  const backup = update.backupId === null ? null : store.backups.get(update.backupId);
  const news = { update, plan: null, backup, page: pageUrl(deps, update) };
  if (update.status === 'succeeded') {
    const mail = updateSucceeded({
      ...news,
      dataChange: howItEnded(store, update).dataChange,
      kept: keptSentences(deps, update),
    });
    return void (isAutomatic(update) ? postWithoutMail(store.outbox, mail) : postMail(store.outbox, mail));
  }
  const quarantined = isQuarantined(store, update);
  const failed = { ...news, ...howItEnded(store, update), quarantined, restoreUrl: restoreUrl(deps, update, backup) };
  postMail(store.outbox, updateFailed(failed));
}

/** A requested or approved update is answered by mail, also if the policy is automatic. */
function isAutomatic({ policy, source, approval }: Update): boolean {
  return policy === 'automatic' && source !== 'operator' && approval === null;
}
