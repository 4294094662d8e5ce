import type { Deps } from '../deps';

/** So that nobody waits for an answer that cannot come any more. The decision itself checks the time again. */
export function expireApprovals({ store, clock, logger }: Pick<Deps, 'store' | 'clock' | 'logger'>): void {
  const now = clock.now().toISOString();
  for (const update of store.updates.withStatus('awaiting_approval')) {
    if (update.approval === null || update.approval.expiresAt > now) continue;
    store.updates.change(update.id, {
      status: 'expired',
      finishedAt: now,
      reason: `Nobody decided until ${update.approval.expiresAt}. Ask again with: diun-pilot update ${update.container}`,
      approval: { ...update.approval, status: 'expired' },
    });
    logger.info('approval expired', { update: update.id, container: update.container });
  }
}
