import type { RequestHandler } from 'express';
import { daysLeft, type Certificate, type CertificateSeen } from '../../domain/certificates/certificate';
import {
  renewalRequest,
  renewalsQuery,
  type CertificateSeenJson,
  type RenewalJson,
  type RenewalsJson,
} from '../api/schemas';
import type { HttpDeps } from '../deps';
import { readJson } from '../request/read-body';
import type { Methods } from '../route';
import { validate, validateQuery } from '../request/validate';

type Deps = Pick<HttpDeps, 'store' | 'clock' | 'requestRenewal'>;

export function renewalsMethods({ store, clock, requestRenewal }: Deps, guard: RequestHandler): Methods {
  const list: RequestHandler = (request, response) => {
    const { limit } = validateQuery(renewalsQuery, request);
    const now = clock.now();
    const certificates = store.certificates.list().map((seen) => withDaysLeft(seen, now));
    const answer: RenewalsJson = { renewals: store.renewals.list(limit), certificates };
    response.json(answer);
  };

  /** Without a body, or with an empty one: of everything on this engine, as soon as nothing else runs. */
  const create: RequestHandler = async (request, response) => {
    validate(renewalRequest, (await readJson(request)) ?? {}, 'body');
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
