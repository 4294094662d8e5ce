import type { ErrorCode, Failure } from '../domain/errors';
import { isFaultOfImage } from '../domain/health/image-fault';
import type { Update, Verdict } from '../domain/update';
import type { Store } from '../ports/store';
import type { ActiveUpdate } from './run';

/** Puts the digest in quarantine, or lets it out, as its verdict says: to be called in the transaction that stores it. */
export function rememberVerdict({ store, clock, update }: ActiveUpdate, verdict: Verdict, error: Failure | null): void {
  const { container, to, id } = update;
  if (container === null || to.digest === null) return;
  if (verdict === 'succeeded') store.refusals.remove(container, to.digest);
  else if (isFaultOfImage(causeOf(update, error))) {
    const at = clock.now().toISOString();
    store.refusals.add({ container, digest: to.digest, why: 'failed', updateId: id, at });
  }
}

/** How a rollback ended says nothing of the image: what it was for does, and is kept with the update. */
const ENDS_OF_ROLLBACK: readonly ErrorCode[] = [
  'rollback_failed',
  'unhealthy_as_before',
  'changed_meanwhile',
  'other_unhealthy',
];

function causeOf(update: Update, error: Failure | null): Failure {
  const none: Failure = { code: 'internal_error', message: '' };
  if (error !== null && ENDS_OF_ROLLBACK.includes(error.code)) return update.error ?? none;
  return error ?? none;
}

/** Whether the digest of an update is not retried automatically. */
export function isQuarantined({ refusals }: Pick<Store, 'refusals'>, { container, to }: Update): boolean {
  return container !== null && to.digest !== null && refusals.find(container, to.digest) !== null;
}
