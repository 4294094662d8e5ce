import type { RequestHandler } from 'express';
import { daysLeft, type Certificate, type CertificateSeen } from '../../domain/certificate';
import type { HttpDeps } from '../deps';
import type { Methods } from '../route';
import { renewalsQuery, type CertificateSeenJson, type RenewalJson, type RenewalsJson } from '../schemas';
import { validate } from '../validate';

type Deps = Pick<HttpDeps, 'store' | 'clock' | 'requestRenewal'>;

export function renewalsMethods({ store, clock, requestRenewal }: Deps, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit } = validate(renewalsQuery, request.query, 'query');
    const now = clock.now();
    const certificates = store.certificates.list().map((seen) => withDaysLeft(seen, now));
    const answer: RenewalsJson = { renewals: store.renewals.list(limit), certificates };
    response.json(answer);
  };

  /** Of everything on this engine, as soon as nothing else runs. */
  const create: RequestHandler = (_request, response) => {
    const renewal: RenewalJson = requestRenewal();
    response.status(202).json(renewal);
  };

  return { get: [guard, list], post: [guard, create] };
}

function withDaysLeft(seen: CertificateSeen, now: Date): CertificateSeenJson {
  const lived = (certificate: Certificate | null): CertificateSeenJson['disk'] =>
    certificate && { ...certificate, daysLeft: daysLeft(certificate, now) };
  return { ...seen, disk: lived(seen.disk), served: lived(seen.served) };
}
