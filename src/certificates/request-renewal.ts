import { refuseWhileObserving, type Mode } from '../domain/mode';
import type { RenewalReason, RenewalRecord } from '../domain/certificates/renewal';
import type { RenewalDeps } from './renewal-deps';

/**
 * Queues a renewal of everything on this engine. One that waits already is not queued twice: a retry that is not due yet
 * is taken forward. Throws `observe_mode` for one that the operator requests.
 */
export function requestRenewal(
  { store, clock, mode }: Pick<RenewalDeps, 'store' | 'clock'> & { mode?: Mode },
  { reason }: { reason: RenewalReason },
): RenewalRecord {
  if (reason === 'operator')
    refuseWhileObserving(mode, 'No renewal was queued, since it restarts or reloads containers.');
  const now = clock.now().toISOString();
  return store.transaction(() => {
    const waiting = store.renewals.queued();
    if (waiting === null) return store.renewals.insert({ reason, dueAt: now });
    return waiting.dueAt <= now ? waiting : store.renewals.change(waiting.id, { reason, dueAt: now });
  });
}
