import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { PilotError } from '../../domain/errors';
import { clientAddress } from './client-address';

const WINDOW_MS = 60_000;
const FAILURES = 100;

export interface FailedLogins {
  /** Counts one failure of this address; the next handler runs while the address is within the limit, else 429. */
  count: RequestHandler;
}

/** Failed authentications by address; what succeeds is never counted. Kept in memory: a restart forgives. */
export function createFailedLogins(): FailedLogins {
  const count = rateLimit({
    windowMs: WINDOW_MS,
    limit: FAILURES,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: addressOf,
    // Whom to believe is decided in client-address.ts; Express is told of no proxy.
    validate: { xForwardedForHeader: false, ip: false },
    handler: (_request, _response, next) => next(tooManyFailures()),
  });
  return { count };
}

function tooManyFailures(): PilotError {
  return new PilotError(
    'too_many_requests',
    'Too many requests with a missing or wrong token came from this address: the right one passes.',
  );
}

function addressOf(request: Request): string {
  return ipKeyGenerator(clientAddress(request));
}
