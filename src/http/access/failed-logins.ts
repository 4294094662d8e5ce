import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { PilotError } from '../../domain/errors';
import { clientAddress } from './client-address';

const WINDOW_MS = 60_000;
const FAILURES = 100;

export interface FailedLogins {
  /** Counts one failure of this address; the next handler runs while the address is within the limit, else 429. */
  count: RequestHandler;
  /** Whether the address has failed too often within the last minute. */
  exceededBy(request: Request): Promise<boolean>;
}

/** Failed authentications by address; what succeeds is never counted. Kept in memory: a restart forgives. */
export function createFailedLogins(): FailedLogins {
  const limiter = rateLimit({
    windowMs: WINDOW_MS,
    limit: FAILURES,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: addressOf,
    // Whom to believe is decided in client-address.ts; Express is told of no proxy.
    validate: { xForwardedForHeader: false, ip: false },
    handler: (_request, _response, next) => next(tooManyFailures()),
  });
  return {
    count: limiter,
    exceededBy: async (request) => ((await limiter.getKey(addressOf(request)))?.totalHits ?? 0) > FAILURES,
  };
}

export function tooManyFailures(): PilotError {
  return new PilotError(
    'too_many_requests',
    'Too many requests with a missing or wrong token came from this address: wait a minute, then come with the right one.',
  );
}

function addressOf(request: Request): string {
  return ipKeyGenerator(clientAddress(request));
}
