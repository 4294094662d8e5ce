import { formatTime } from '../domain/format';
import type { Deps } from '../deps';

/** Expires pending approvals after their time. The decision itself checks the time again. */
export function expireApprovals({ store, clock, logger }: Pick<Deps, 'store' | 'clock' | 'logger'>): void {
  const now = clock.now().toISOString();
  for (const update of store.updates.withStatus('awaiting_approval')) {
    if (update.approval === null || update.approval.expiresAt > now) continue;
    store.updates.change(update.id, {
      status: 'expired',
      finishedAt: now,
      reason: `No decision until ${formatTime(update.approval.expiresAt)}. Request it again with: diun-pilot update ${update.container}`,
      approval: { ...update.approval, status: 'expired' },
    });
    logger.info('approval expired', { update: update.id, container: update.container });
  }
}
