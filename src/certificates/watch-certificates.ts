import { type CertificateSeen, isDueForRenewal } from '../domain/certificates/certificate';
import { isWithin } from '../lib/clock';
import { lookAtCertificates, saveCertificates } from './look';
import { findPlaces, type RenewalDeps, type RenewalPlace } from './renewal-places';
import { requestRenewal } from './renewal-queue';

const LOOK_EVERY_MS = 6 * 3_600_000;
const AT_MOST_EVERY_MS = 24 * 3_600_000;
const LOOK_BACK = 20;

/** Looks at every certificate at start and every six hours, next to the worker: it reads, and requests a renewal that is due. Resolves with false: nothing more to do now. */
export function createWatch(deps: RenewalDeps): () => Promise<boolean> {
  let lookedAt: Date | null = null;
  return async () => {
    if (lookedAt !== null && isWithin(LOOK_EVERY_MS, lookedAt, deps.clock.now())) return false;
    // A running renewal checks the certificates itself, and later.
    if (deps.store.renewals.running() !== null) return false;
    const places = await findPlaces(deps);
    const seen = await lookAtCertificates(deps, places);
    if (deps.store.renewals.running() === null) {
      saveCertificates(deps, seen);
      requestWhatIsDue(deps, places, seen);
    }
    lookedAt = deps.clock.now();
    return false;
  };
}

/**
 * A certificate of six days cannot wait for the weekly run. At most once a day, and never where the operator has switched the
 * schedule of renewals off.
 */
function requestWhatIsDue(deps: RenewalDeps, places: RenewalPlace[], seen: CertificateSeen[]): void {
  const { store, clock, logger } = deps;
  const now = clock.now();
  const isOn = (store.timers.get('renewal')?.schedule ?? null) !== null;
  const isRecent = store.renewals
    .list(LOOK_BACK)
    .some(({ createdAt }) => isWithin(AT_MOST_EVERY_MS, new Date(createdAt), now));
  if (!isOn || isRecent || store.renewals.queued() !== null) return;
  const renewing = places.filter(({ certbots }) => certbots.length > 0).map(({ project }) => project);
  const due = seen.filter(
    ({ disk, project }) => disk !== null && renewing.includes(project) && isDueForRenewal(disk, now),
  );
  if (due.length === 0) return;
  logger.info('a renewal is due before the next scheduled one', { names: due.map(({ name }) => name) });
  requestRenewal(deps, { reason: 'schedule' });
}
