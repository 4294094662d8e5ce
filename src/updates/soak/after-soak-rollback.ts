import type { Update } from '../../domain/update';
import type { ActiveUpdate } from '../run';

/** The end of an update that was rolled back in its soak: to be called in the transaction that stores it. */
export function afterSoakRollback(
  { store, clock, journal }: ActiveUpdate,
  { id, status, reason, container }: Update,
): void {
  store.soaks.change(id, { status: 'ended', outcome: reason });
  if (status === 'rolled_back') store.replacedImages.remove(journal.oldImageId);
  const waits = store.updates.openFor(container ?? '').some((update) => update.status === 'awaiting_approval');
  if (waits) store.timers.ring('reoffer', clock.now().toISOString());
}
