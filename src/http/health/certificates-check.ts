import { daysLeft, isNotLoaded, nearsItsEnd, type CertificateSeen } from '../../domain/certificates/certificate';
import type { RenewalRecord } from '../../domain/certificates/renewal';
import { degraded, type Check } from './health-report';

/**
 * Degraded when a certificate nears its end, is not the one that is served or could not be looked at, or when the last
 * renewal failed. A host without any certificate is fine.
 */
export function certificatesCheck(all: CertificateSeen[], last: RenewalRecord | null, now: Date): Check {
  const reasons = all.flatMap((seen) => reasonsOf(seen, now));
  if (last?.status === 'failed') {
    reasons.push(
      'the last renewal failed: see GET /renewals; it is tried again the next day, or now by `diun-pilot renew`',
    );
  }
  return reasons.length === 0 ? { status: 'ok' } : degraded([...new Set(reasons)].join('; '));
}

function reasonsOf(seen: CertificateSeen, now: Date): string[] {
  const { name, server } = seen;
  const reasons: string[] = [];
  const soonest = [seen.served, seen.disk].filter((each) => each !== null).find((each) => nearsItsEnd(each, now));
  if (soonest !== undefined) {
    const days = daysLeft(soonest, now);
    const when = days < 0 ? 'has ended' : `has ${days} days left`;
    reasons.push(`the certificate of ${name} ${when}: run \`diun-pilot renew\``);
  }
  if (isNotLoaded(seen))
    reasons.push(`${server} serves another certificate for ${name} than is on disk: run \`diun-pilot renew\``);
  if (seen.problem !== null) reasons.push(`a certificate of ${name} could not be looked at: GET /renewals says why`);
  return reasons;
}
