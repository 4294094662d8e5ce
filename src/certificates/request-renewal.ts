import type { RenewalReason, RenewalRecord } from '../domain/renewal';
import type { RenewalDeps } from './renewal-deps';

/**
 * Queues a renewal of everything on this engine. One that waits already is not queued twice: a retry that is not due yet
 * is taken forward.
 */
export function requestRenewal(
  { store, clock }: Pick<RenewalDeps, 'store' | 'clock'>,
  { reason }: { reason: RenewalReason },
): RenewalRecord {
  const now = clock.now().toISOString();
  return store.transaction(() => {
    const waiting = store.renewals.queued();
    if (waiting === null) return store.renewals.insert({ reason, dueAt: now });
    return waiting.dueAt <= now ? waiting : store.renewals.change(waiting.id, { reason, dueAt: now });
  });
}
