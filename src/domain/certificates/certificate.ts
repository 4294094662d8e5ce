import { formatDay, plural } from '../format';
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

const DAY_MS = 86_400_000;
/** Contract, section 4: the alarm at a quarter of the lifetime; then ever more urgent, in days. */
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
export function isSame(one: Certificate | null, other: Certificate | null): boolean {
  return one !== null && other !== null && one.fingerprint === other.fingerprint;
}

/** The served certificate differs from the one on disk: the server has not loaded it. False when one is unknown. */
export function isNotLoaded({ disk, served }: CertificateSeen): boolean {
  return disk !== null && served !== null && !isSame(disk, served);
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
