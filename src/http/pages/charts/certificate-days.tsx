import type { JSX } from 'preact';
import {
  type Certificate,
  type CertificateSeen,
  daysLeft,
  nearsItsEnd,
  timeLeft,
} from '../../../domain/certificates/certificate';
import { Figure, heightOf, RowBars, type RowBar } from './figure';

const MOST = 10;
const DAY_MS = 86_400_000;

/** Days left of each certificate, the nearest end first; nothing without any that is known. */
export function CertificateDays({
  certificates,
  now,
}: {
  certificates: CertificateSeen[];
  now: Date;
}): JSX.Element | null {
  const known = certificates
    .flatMap(({ name, served, disk }) =>
      (served ?? disk) ? [{ name, certificate: (served ?? disk) as Certificate }] : [],
    )
    .sort((a, b) => a.certificate.notAfter.localeCompare(b.certificate.notAfter))
    .slice(0, MOST);
  if (known.length === 0) return null;
  const longest = Math.max(...known.map(({ certificate }) => lifetimeDays(certificate)));
  const rows = known.map(({ name, certificate }) => rowOf(name, certificate, longest, now));
  return (
    <Figure
      id="chart-certificates"
      title="Days left of each certificate"
      description={`${rows.map(({ label, value }) => `${label}: ${value}.`).join(' ')} Renewal is due when a third of the lifetime is left.`}
      height={heightOf(rows)}
      legend="The line across a bar: renewal is due below it."
    >
      <RowBars rows={rows} />
    </Figure>
  );
}

function rowOf(name: string, certificate: Certificate, longest: number, now: Date): RowBar {
  const days = daysLeft(certificate, now);
  const tone = days < 0 ? 'alarm' : nearsItsEnd(certificate, now) ? 'attention' : 'good';
  const value = tone === 'attention' ? `${timeLeft(certificate, now)}: renew it` : timeLeft(certificate, now);
  const share = Math.min(1, Math.max(0, days) / longest);
  return { label: name, value, share, tone, tick: lifetimeDays(certificate) / 3 / longest };
}

function lifetimeDays({ notBefore, notAfter }: Certificate): number {
  return Math.max(1, (Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS);
}
