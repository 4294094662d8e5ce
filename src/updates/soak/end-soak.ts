import type { Deps } from '../../deps';
import type { Soak } from '../../domain/soak/soak';

export const NO_WAY_BACK =
  'Its soak ended: the new version is no longer watched, and diun-pilot can no longer roll this update back.';
export const OLD_IS_GONE = 'The old container was removed externally, so this update can no longer be rolled back.';

/**
 * Nothing is left to watch: the old container is removed by the worker, and older images with it. `keep`: not before its time,
 * since no container has the name.
 */
export function endSoak(
  deps: Pick<Deps, 'store' | 'clock' | 'logger'>,
  soak: Soak,
  outcome: string,
  old: 'remove' | 'keep' = 'remove',
): void {
  const { store, clock, logger } = deps;
  const now = clock.now().toISOString();
  store.transaction(() => {
    store.soaks.change(soak.updateId, { status: 'ended', outcome });
    const kept = store.keptContainers.find(soak.oldContainerId);
    if (kept !== null && !kept.leftover && old === 'remove') store.keptContainers.add({ ...kept, keepUntil: now });
    const update = store.updates.get(soak.updateId);
    if (update !== null) store.updates.change(update.id, { reason: `${update.reason} ${outcome}` });
    const journal = store.updates.journal(soak.updateId);
    if (journal !== null) store.updates.saveJournal(soak.updateId, { ...journal, snapshot: undefined });
    store.timers.ring('old-images', now);
  });
  logger.info('a soak ended', { update: soak.updateId, container: soak.container, outcome });
}
