import { alarmThreshold, type Certificate, type CertificateSeen } from '../domain/certificates/certificate';
import { certificateNearEnd } from '../notifications/mails/certificate-near-end';
import { postMail } from '../notifications/post-mail';
import type { RenewalDeps } from './renewal-deps';

type Deps = Pick<RenewalDeps, 'store' | 'clock' | 'publicUrl'>;

/**
 * Keeps what was seen for `/health`, page and metrics; and for each certificate that has passed another threshold before
 * its end, one mail in the same transaction.
 */
export function saveCertificates(deps: Deps, all: CertificateSeen[]): void {
  const { store } = deps;
  store.transaction(() => {
    store.certificates.replace(all);
    for (const seen of all) {
      for (const certificate of [seen.served, seen.disk]) if (certificate !== null) alarm(deps, seen, certificate);
    }
  });
}

function alarm({ store, clock, publicUrl }: Deps, seen: CertificateSeen, certificate: Certificate): void {
  const threshold = alarmThreshold(certificate, clock.now());
  const last = store.certificates.alarmedAt(certificate.fingerprint);
  if (threshold === null || (last !== null && last <= threshold)) return;
  store.certificates.alarmed(certificate.fingerprint, threshold);
  postMail(store.outbox, certificateNearEnd({ seen, certificate, now: clock.now(), publicUrl }));
}
