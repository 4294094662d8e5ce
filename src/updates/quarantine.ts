import type { ErrorCode, Failure } from '../domain/errors';
import type { Update, Verdict } from '../domain/update';
import type { Store } from '../ports/store';
import type { Begun } from './run';

/** A digest that failed by itself is not tried again by itself; what the surroundings failed at, is (contract, section 4). */
const THE_IMAGES_FAULT: readonly ErrorCode[] = [
  'preflight_failed',
  'recreate_refused',
  'recreate_failed',
  'unhealthy',
  'rollback_failed',
  'data_changed',
  'unhealthy_as_before',
  'interrupted',
  'internal_error',
];

/** Puts the digest in quarantine, or lets it out, as its verdict says: to be called in the transaction that stores it. */
export function rememberVerdict({ store, clock, update }: Begun, verdict: Verdict, error: Failure | null): void {
  const { container, to, id } = update;
  if (container === null || to.digest === null) return;
  if (verdict === 'succeeded') store.refusals.remove(container, to.digest);
  else if (error !== null && THE_IMAGES_FAULT.includes(error.code)) {
    const at = clock.now().toISOString();
    store.refusals.add({ container, digest: to.digest, why: 'failed', updateId: id, at });
  }
}

/** Whether the digest of an update is not tried again by itself. */
export function isQuarantined({ refusals }: Pick<Store, 'refusals'>, { container, to }: Update): boolean {
  return container !== null && to.digest !== null && refusals.find(container, to.digest) !== null;
}
