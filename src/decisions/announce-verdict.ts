import type { Deps } from '../deps';
import type { Verdict } from '../domain/rehearsal/rehearsal';
import type { Update } from '../domain/update';
import { isUndecided } from './held-mails';
import { mailOfOffer, waitingApproval } from './mail-of-offer';

/**
 * Records the verdict of a rehearsal and, in the same transaction, posts the mail that waited for it. An automatic update
 * starts now, or waits for approval where its rehearsal failed.
 */
export function announceVerdict(deps: Deps, rehearsalId: string, verdict: Verdict): void {
  const { store } = deps;
  store.transaction(() => {
    const rehearsal = store.rehearsals.end(rehearsalId, verdict);
    if (rehearsal.mail === null) return;
    store.rehearsals.mailDone(rehearsal.id);
    const update = store.updates.get(rehearsal.updateId);
    const plan = update && store.updates.plan(update.id);
    if (!update || !plan || !isUndecided(update)) return;
    const now = update.status === 'queued' ? afterVerdict(deps, update, verdict) : update;
    mailOfOffer(deps, now, plan, rehearsal.mail.replaces, rehearsal);
  });
}

function afterVerdict(deps: Deps, update: Update, { status }: Verdict): Update {
  const { updates } = deps.store;
  const reason = update.hold?.reason ?? update.reason;
  if (status !== 'failed') return updates.change(update.id, { hold: null, reason });
  return updates.change(update.id, {
    status: 'awaiting_approval',
    hold: null,
    notBefore: null,
    inWindow: false,
    reason: `Its rehearsal failed, so it needs approval (update.rehearse=always). ${reason}`,
    approval: waitingApproval(deps),
  });
}
