import type { Deps } from '../deps';
import { formatTime } from '../domain/format';
import { approvalReminder } from '../notifications/mails/offer';
import { requestCommand } from '../notifications/mails/passages/passages';
import { postMail } from '../notifications/post-mail';
import { approvalUrl, pageUrl, surroundingsOf } from './approval-links';

/** Expires pending approvals after their time. The decision itself checks the time again. */
export function expireApprovals({ store, clock, logger }: Pick<Deps, 'store' | 'clock' | 'logger'>): void {
  const now = clock.now().toISOString();
  for (const update of store.updates.withStatus('awaiting_approval')) {
    if (update.approval === null || update.approval.expiresAt > now) continue;
    store.updates.change(update.id, {
      status: 'expired',
      finishedAt: now,
      reason: `The offer expired at ${formatTime(update.approval.expiresAt)} without a decision. To request the update again: ${requestCommand(update)}`,
      approval: { ...update.approval, status: 'expired' },
    });
    logger.info('approval expired', { update: update.id, container: update.container });
  }
}

/** Before the end of a link, its reader is reminded. */
export const A_DAY_MS = 24 * 3_600_000;

/** A day before a link expires its reader is reminded once: to be silent would be to let it expire unseen. */
export function remindOfApprovals(deps: Deps): void {
  const { store, clock } = deps;
  const before = new Date(clock.now().getTime() + A_DAY_MS).toISOString();
  for (const update of store.updates.toRemindOf(before)) {
    store.transaction(() => {
      store.updates.reminded(update.id);
      if (isYoungOffer(deps, update.createdAt)) return;
      const news = { update, plan: store.updates.plan(update.id), page: pageUrl(deps, update) };
      postMail(
        store.outbox,
        approvalReminder({
          ...news,
          approvalUrl: approvalUrl(deps, update),
          surroundings: surroundingsOf(store, update),
        }),
      );
    });
  }
}

/** Where links live for a day or less, the offer itself has just been mailed. */
export function isYoungOffer(
  { clock, approvalTtlMs }: Pick<Deps, 'approvalTtlMs' | 'clock'>,
  offeredAt: string,
): boolean {
  return approvalTtlMs <= A_DAY_MS || clock.now().getTime() - Date.parse(offeredAt) < A_DAY_MS / 4;
}
