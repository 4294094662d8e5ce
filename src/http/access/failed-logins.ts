import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { PilotError } from '../../domain/errors';
import { isDue, type Clock } from '../../lib/clock';
import type { Audit } from '../../ports/audit';
import { addressOfClient } from './client-address';

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
    keyGenerator: (_request, response) => ipKeyGenerator(addressOfClient(response)),
    // Which proxies count is decided in client-address.ts; Express knows of none.
    validate: { xForwardedForHeader: false, ip: false },
    handler: (_request, _response, next) => next(tooManyFailures()),
  });
  const noted: RequestHandler = (request, response, next) => {
    logins.note(addressOfClient(response));
    return count(request, response, next);
  };
  return { count: noted };
}

function tooManyFailures(): PilotError {
  return new PilotError(
    'too_many_requests',
    'Too many requests from this address had a missing or wrong token. Send the correct token: it is still accepted.',
  );
}

const HOUR_MS = 3_600_000;
const MOST_ADDRESSES = 20;

/** Failed logins on their way into the audit trail: one record for an hour of them, whatever their number. */
export interface LoginCount {
  note(address: string): void;
  /** Records what was counted so far. */
  flush(): void;
}

export function createLoginCount({ audit, clock }: { audit: Pick<Audit, 'append'>; clock: Clock }): LoginCount {
  let since: Date | null = null;
  let count = 0;
  let addresses = new Set<string>();
  const flush = (): void => {
    if (since === null) return;
    const detail = { count, since: since.toISOString(), addresses: [...addresses] };
    audit.append({ kind: 'failed_logins', actor: 'unknown', subject: null, detail });
    since = null;
    count = 0;
    addresses = new Set();
  };
  return {
    flush,
    note: (address) => {
      const now = clock.now();
      if (since !== null && isDue(since.getTime() + HOUR_MS, now.getTime(), HOUR_MS)) flush();
      since ??= now;
      count++;
      if (addresses.size < MOST_ADDRESSES) addresses.add(address);
    },
  };
}
