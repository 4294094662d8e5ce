import { lookAtCertificates } from './look';
import type { RenewalDeps } from './renewal-deps';
import { findPlaces } from './renewal-places';
import { saveCertificates } from './save-certificates';

const LOOK_EVERY_MS = 6 * 3_600_000;

/** Looks at every certificate at start and every six hours, beside the worker: it only reads. Resolves with false: nothing more to do now. */
export function createWatch(deps: RenewalDeps): () => Promise<boolean> {
  let nextAt = 0;
  return async () => {
    if (deps.clock.now().getTime() < nextAt) return false;
    // A renewal that runs looks by itself, and its look is the later one.
    if (deps.store.renewals.running() !== null) return false;
    const seen = await lookAtCertificates(deps, await findPlaces(deps));
    if (deps.store.renewals.running() === null) saveCertificates(deps, seen);
    nextAt = deps.clock.now().getTime() + LOOK_EVERY_MS;
    return false;
  };
}
