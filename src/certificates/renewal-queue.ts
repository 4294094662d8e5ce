import type { Deps } from '../deps';
import {
  type CertificateSeen,
  isDueForRenewal,
  type RenewalReason,
  type RenewalRecord,
  type RenewalVerdict,
} from '../domain/certificates/certificate';
import { codeOf, messageOf, rethrowEngineLost } from '../domain/errors';
import { refuseWhileObserving } from '../domain/mode';
import { DAY_MS, HOUR_MS } from '../domain/format';
import { renewalFailed } from '../notifications/mails/renewal-failed';
import { postMail } from '../notifications/post-mail';
import type { Store } from '../ports/store';
import { lookAtCertificates, saveCertificates } from './look';
import { renew } from './renew';
import { findPlaces, type RenewalDeps, type RenewalPlace } from './renewal-places';
import { wasWithinLast } from '../lib/clock';

/**
 * Queues a renewal of everything on this engine. One that waits already is not queued twice: a retry that is not due yet
 * is taken forward. Throws `observe_mode` for one that the operator requests.
 */
export function requestRenewal(
  { store, clock, mode }: Pick<RenewalDeps, 'store' | 'clock' | 'mode'>,
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

/**
 * While diun-pilot observes: a renewal that was interrupted before the switch waits for `act` like any due one, and what it knows of
 * the certificates before is kept. One that stayed `running` would keep the certificates from being checked.
 */
export function requeueInterrupted({ store, logger }: Pick<RenewalDeps, 'store' | 'logger'>): void {
  const interrupted = store.renewals.running();
  if (interrupted === null) return;
  store.renewals.change(interrupted.id, { status: 'queued', startedAt: null });
  logger.warn('an interrupted renewal is queued until diun-pilot may act', { renewal: interrupted.id });
}

/** A failed weekly run is repeated the next day (docs/certificates.md). */
const RETRY_AFTER_MS = DAY_MS;

interface RenewalEnd {
  verdict: RenewalVerdict;
  seen: { before: CertificateSeen[]; after: CertificateSeen[] } | null;
}

/** Ends that could not be recorded, by the id of the renewal: certbot is not started again for them. */
const unrecorded = new WeakMap<Store, { id: string; end: RenewalEnd }>();

/**
 * Runs the renewal that is due, or the one that was interrupted: it may be run again. False: there is none. A failure is
 * recorded, mailed and tried again the next day, not thrown. Rejects when the end cannot be recorded: the next call does that.
 */
export async function runNextRenewal(deps: Deps): Promise<boolean> {
  const record = startRenewal(deps);
  if (record === null) return false;
  const ended = unrecorded.get(deps.store);
  if (ended?.id === record.id) {
    recordAgain(deps, record, ended.end);
  } else {
    const end = await endOf(deps, record);
    unrecorded.set(deps.store, { id: record.id, end });
    recordEnd(deps, record, end);
  }
  unrecorded.delete(deps.store);
  return true;
}

async function endOf(deps: Deps, record: RenewalRecord): Promise<RenewalEnd> {
  try {
    const { verdict, ...seen } = await renew(deps, record);
    return { verdict, seen };
  } catch (error) {
    rethrowEngineLost(error);
    return aborted(error);
  }
}

/** An end that itself cannot be recorded, whatever the database, is one that failed. */
function recordAgain(deps: Deps, record: RenewalRecord, end: RenewalEnd): void {
  try {
    recordEnd(deps, record, end);
  } catch (error) {
    recordEnd(deps, record, aborted(error));
  }
}

function aborted(error: unknown): RenewalEnd {
  const broken = { code: codeOf(error), message: `The renewal was aborted: ${messageOf(error)}` };
  return { verdict: { outcome: 'failed', detail: broken.message, error: broken }, seen: null };
}

function startRenewal({ store, clock }: Pick<Deps, 'clock' | 'store'>): RenewalRecord | null {
  const interrupted = store.renewals.running();
  if (interrupted !== null) return interrupted;
  const queued = store.renewals.queued();
  const now = clock.now().toISOString();
  if (queued === null || queued.dueAt > now) return null;
  return store.renewals.change(queued.id, { status: 'running', startedAt: now });
}

/** State, mails and the retry in one transaction. */
function recordEnd(
  deps: Pick<Deps, 'clock' | 'logger' | 'publicUrl' | 'store'>,
  { id }: RenewalRecord,
  { verdict: { outcome, detail, error }, seen }: RenewalEnd,
): void {
  const { store, clock, logger, publicUrl } = deps;
  store.transaction(() => {
    const status = outcome === 'failed' ? 'failed' : 'succeeded';
    const fields = { status, outcome, detail, error, finishedAt: clock.now().toISOString() } as const;
    const ended = store.renewals.change(id, { ...fields, ...(seen ?? {}) });
    if (seen !== null) saveCertificates(deps, seen.after);
    if (status === 'succeeded') return;
    const retry = store.renewals.queued() ?? store.renewals.insert({ reason: 'retry', dueAt: retryAt(ended) });
    postMail(store.outbox, renewalFailed({ renewal: ended, retryAt: retry.dueAt, now: clock.now(), publicUrl }));
  });
  if (outcome === 'failed')
    logger.error('a renewal failed', { renewal: id, code: error?.code, reason: error?.message });
  else logger.info('a renewal has ended', { renewal: id, outcome, detail });
}

/** A day after it began, so that it stays at the hour of the timer. */
function retryAt({ startedAt, createdAt }: RenewalRecord): string {
  return new Date(Date.parse(startedAt ?? createdAt) + RETRY_AFTER_MS).toISOString();
}

const LOOK_EVERY_MS = 6 * HOUR_MS;
const AT_MOST_EVERY_MS = DAY_MS;
const LOOK_BACK = 20;

/** Looks at every certificate at start and every six hours, next to the worker: it reads, and requests a renewal that is due. Resolves with false: nothing more to do now. */
export function createWatch(deps: RenewalDeps): () => Promise<boolean> {
  let lookedAt: Date | null = null;
  return async () => {
    if (lookedAt !== null && wasWithinLast(LOOK_EVERY_MS, lookedAt, deps.clock.now())) return false;
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
    .some(({ createdAt }) => wasWithinLast(AT_MOST_EVERY_MS, new Date(createdAt), now));
  if (!isOn || isRecent || store.renewals.queued() !== null) return;
  const renewing = places.filter(({ certbots }) => certbots.length > 0).map(({ project }) => project);
  const due = seen.filter(
    ({ disk, project }) => disk !== null && renewing.includes(project) && isDueForRenewal(disk, now),
  );
  if (due.length === 0) return;
  logger.info('a renewal is due before the next scheduled one', { names: due.map(({ name }) => name) });
  requestRenewal(deps, { reason: 'schedule' });
}
