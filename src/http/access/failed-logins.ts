import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { PilotError } from '../../domain/errors';
import { addressOf } from './client-address';
import type { LoginCount } from './login-count';

const WINDOW_MS = 60_000;
const FAILURES = 100;

export interface FailedLogins {
  /** Counts one failure of this address; the next handler runs while the address is within the limit, else 429. */
  count: RequestHandler;
}

/** Failed authentications by address; what succeeds is never counted. Kept in memory: a restart forgives. */
export function createFailedLogins(logins: Pick<LoginCount, 'note'>): FailedLogins {
  const count = rateLimit({
    windowMs: WINDOW_MS,
    limit: FAILURES,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: (_request, response) => ipKeyGenerator(addressOf(response)),
    // Which proxies count is decided in client-address.ts; Express knows of none.
    validate: { xForwardedForHeader: false, ip: false },
    handler: (_request, _response, next) => next(tooManyFailures()),
  });
  const noted: RequestHandler = (request, response, next) => {
    logins.note(addressOf(response));
    return count(request, response, next);
  };
  return { count: noted };
}

function tooManyFailures(): PilotError {
  return new PilotError(
    'too_many_requests',
    'Too many requests with a missing or wrong token came from this address: the right one passes.',
  );
}
