import { type Failure, firstLineOf } from '../errors';
import { DAY_MS, formatDay, plural } from '../format';

/** The facts of an X.509 certificate. Times are ISO 8601. */
export interface Certificate {
  /** SHA-256 of the whole certificate, 64 hex digits: its identity. */
  fingerprint: string;
  /** Subject alternative names, or the common name where there are none. */
  names: string[];
  notBefore: string;
  notAfter: string;
}

/** One certificate of a server, on disk and as served: after a renewal the two must be the same. */
export interface CertificateSeen {
  /** The name it is asked by (SNI), or the first of its own names. */
  name: string;
  project: string | null;
  /** Container that serves it; null: none that is known loads it. */
  server: string | null;
  /** Null: it could not be read, see `problem`. */
  disk: Certificate | null;
  /** Null: no server serves it, or it could not be read, see `problem`. */
  served: Certificate | null;
  /** Why one of them is not known, as text. */
  problem: string | null;
}

/** As docs/certificates.md has it: the alarm at a quarter of the lifetime; then ever more urgent, in days. */
const URGENT_DAYS = [7, 3, 1, 0];

/** Whole days until it ends; negative: since it ended. */
export function daysLeft(certificate: Certificate, now: Date): number {
  return Math.floor(exactDaysLeft(certificate, now));
}

/** Less than a quarter of its lifetime is left. Certificates live ever shorter, so no fixed number of days will do. */
export function nearsItsEnd(certificate: Certificate, now: Date): boolean {
  return exactDaysLeft(certificate, now) < quarterOf(certificate);
}

/** Less than a third of its lifetime is left: then certbot renews it. */
export function isDueForRenewal(certificate: Certificate, now: Date): boolean {
  return exactDaysLeft(certificate, now) < (4 / 3) * quarterOf(certificate);
}

/**
 * The threshold that it has passed last, in days before its end: a quarter of its lifetime, then 7, 3, 1 and 0 as far as
 * they lie within that quarter. Null: none yet. A mail goes out for each threshold once.
 */
export function alarmThreshold(certificate: Certificate, now: Date): number | null {
  const quarter = quarterOf(certificate);
  const left = exactDaysLeft(certificate, now);
  const passed = [quarter, ...URGENT_DAYS.filter((days) => days < quarter)].filter((days) => left < days);
  return passed.length === 0 ? null : Math.min(...passed);
}

/** Both are known, and one and the same. */
export function isSameCertificate(one: Certificate | null, other: Certificate | null): boolean {
  return one !== null && other !== null && one.fingerprint === other.fingerprint;
}

/** The served certificate differs from the one on disk: the server has not loaded it. False when one is unknown. */
export function isNotLoaded({ disk, served }: CertificateSeen): boolean {
  return disk !== null && served !== null && !isSameCertificate(disk, served);
}

/** `61 days left, valid until 2027-01-24`, for people. */
export function validity(certificate: Certificate, now: Date): string {
  return `${timeLeft(certificate, now)}, valid until ${formatDay(certificate.notAfter)}`;
}

/** `61 days left`, `less than a day left`, `expired`. */
export function timeLeft(certificate: Certificate, now: Date): string {
  const days = daysLeft(certificate, now);
  if (days < 0) return 'expired';
  return `${days === 0 ? 'less than a day' : plural(days, 'day')} left`;
}

function exactDaysLeft({ notAfter }: Certificate, now: Date): number {
  return (Date.parse(notAfter) - now.getTime()) / DAY_MS;
}

function quarterOf({ notBefore, notAfter }: Certificate): number {
  return (Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS / 4;
}

/** `certbot renew` without a terminal first sleeps up to eight minutes, unless `--no-random-sleep-on-renew` is given. */
export const CERTBOT_RENEW = ['certbot', 'renew', '--non-interactive', '--no-random-sleep-on-renew'];

/** Who requested it: `retry` comes a day after a failed one. */
export const RENEWAL_REASONS = ['schedule', 'operator', 'retry'] as const;
/** One of them. */
export type RenewalReason = (typeof RENEWAL_REASONS)[number];
/** Its progress; the outcome is its result. */
export type RenewalStatus = 'queued' | 'running' | 'succeeded' | 'failed';

/**
 * `renewed`: another certificate is served than before. `not_due`: certbot saw no need. `nothing_to_renew`: nothing here
 * renews. Derived from the certificates, not from exit codes alone (docs/research/certificates.md).
 */
export const RENEWAL_OUTCOMES = ['renewed', 'not_due', 'nothing_to_renew', 'failed'] as const;
/** One of them. */
export type RenewalOutcome = (typeof RENEWAL_OUTCOMES)[number];

/** The record of one renewal of everything on this engine, also of one that failed. Times are ISO 8601. */
export interface RenewalRecord {
  id: string;
  reason: RenewalReason;
  status: RenewalStatus;
  /** Null until it has ended. */
  outcome: RenewalOutcome | null;
  /** As text, why this outcome; null until it has ended. */
  detail: string | null;
  createdAt: string;
  /** Not started before: the retry after a failure waits a day. */
  dueAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** As found before certbot was started: what a run that was interrupted compares with. Null: not looked yet. */
  before: CertificateSeen[] | null;
  after: CertificateSeen[] | null;
  error: Failure | null;
}

/** How one certbot ended. */
export interface CertbotEnd {
  container: string;
  /** Null: it did not end in time, or could not be started; then `log` says why. */
  exitCode: number | null;
  /** Its last lines. */
  log: string[];
}

/** All that was seen of one renewal. */
export interface RenewalFacts {
  before: CertificateSeen[];
  after: CertificateSeen[];
  ends: CertbotEnd[];
  /** Servers that could not be brought to serve what is on disk, each with the reason. */
  notLoaded: { server: string; words: string }[];
}

/** Its outcome; `detail` in a sentence for a person, `error` of one that failed. */
export interface RenewalVerdict {
  outcome: RenewalOutcome;
  detail: string;
  error: Failure | null;
}

/** What came of a renewal, from what was seen before and after. Pure. */
export function verdictOn(facts: RenewalFacts, now: Date): RenewalVerdict {
  const failed = failureOf(facts);
  if (failed !== null) return { outcome: 'failed', detail: firstLineOf(failed.message), error: failed };
  const changed = renewedIn(facts);
  if (changed.length > 0) return { outcome: 'renewed', detail: `${renewedWords(changed, now)}.`, error: null };
  if (facts.ends.length === 0) {
    const detail = 'No container has the label renewal.role=certbot, so nothing here renews certificates.';
    return { outcome: 'nothing_to_renew', detail, error: null };
  }
  if (facts.after.every(({ disk }) => disk === null)) {
    const detail = 'certbot succeeded, but there is no certificate yet: request the first one (docs/certificates.md).';
    return { outcome: 'nothing_to_renew', detail, error: null };
  }
  return { outcome: 'not_due', detail: `No certificate is due: ${lives(facts.after, now)}.`, error: null };
}

/** Certificates that were not there before, on disk, or served for the first time. */
function renewedIn({ before, after }: Pick<RenewalFacts, 'before' | 'after'>): CertificateSeen[] {
  const isNew = (seen: CertificateSeen): boolean =>
    seen.disk !== null && !before.some(({ disk }) => isSameCertificate(disk, seen.disk));
  const isLoadedNow = (seen: CertificateSeen): boolean =>
    isSameCertificate(seen.disk, seen.served) && before.some((old) => old.name === seen.name && isNotLoaded(old));
  return after.filter((seen) => isNew(seen) || isLoadedNow(seen));
}

function failureOf(facts: RenewalFacts): RenewalVerdict['error'] {
  const bad = facts.ends.filter(({ exitCode }) => exitCode !== 0);
  if (bad.length > 0) return { code: 'renewal_failed', message: bad.map((end) => certbotWords(end, facts)).join('\n') };
  if (facts.notLoaded.length === 0) return null;
  return { code: 'certificate_not_served', message: facts.notLoaded.map(({ words }) => words).join('\n') };
}

function certbotWords({ container, exitCode, log }: CertbotEnd, facts: RenewalFacts): string {
  const how = exitCode === null ? 'did not finish' : `ended with exit code ${exitCode}`;
  const some = renewedIn(facts).map(({ name }) => name);
  const what = some.length === 0 ? 'no certificate was renewed' : `only ${some.join(', ')} was renewed`;
  const loaded = facts.notLoaded.map(({ words }) => ` ${words}`).join('');
  const lines = log.length === 0 ? ' It wrote no log.' : `\nThe last lines of its log:\n${log.join('\n')}`;
  return `certbot (${container}) ${how}, and ${what}; ${whatIsServed(facts.before, facts.after)}.${loaded}${lines}`;
}

/** What became of what was served before, as it was seen, for the middle of a sentence. A restarted server may not be back. */
export function whatIsServed(before: CertificateSeen[], after: CertificateSeen[]): string {
  const then = before.filter(({ served }) => served !== null);
  const now = after.filter(({ served }) => served !== null);
  const unseen = then.filter(({ name }) => !now.some((seen) => seen.name === name)).map(({ name }) => name);
  if (unseen.length > 0) return `${unseen.join(', ')} is no longer served`;
  const same = then.every((old) =>
    now.some((seen) => seen.name === old.name && isSameCertificate(seen.served, old.served)),
  );
  return same
    ? 'the previous certificates are still served'
    : 'certificates that were not renewed are served as before';
}

function renewedWords(seen: CertificateSeen[], now: Date): string {
  const words = seen.map(({ name, server, disk }) => {
    const days = disk === null ? '' : `, ${plural(daysLeft(disk, now), 'day')}`;
    return server === null
      ? `${name} (on disk only: no container with renewal.role=server serves it${days})`
      : `${name} (${server}${days})`;
  });
  return `Renewed, and served: ${words.join('; ')}`;
}

function lives(seen: CertificateSeen[], now: Date): string {
  const known = seen.flatMap(({ name, disk }) =>
    disk === null ? [] : [`${name} has ${plural(daysLeft(disk, now), 'day')} left`],
  );
  return [...new Set(known)].join('; ');
}
