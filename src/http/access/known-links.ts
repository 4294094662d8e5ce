import type { Request, RequestHandler, Response } from 'express';
import type { HttpDeps } from '../deps';
import type { FailedLogins } from './failed-logins';

export type LinkReaders = Pick<HttpDeps, 'approvals' | 'restoreLinks' | 'soakLinks' | 'viewLinks'>;

/**
 * A link that is signed always opens, even when other requests from the same address fail: behind a proxy all share one.
 * Wrong ones are counted, and past the limit all get the same answer. `unknown` answers one within the limit.
 */
export function onlyKnownLinks(
  { approvals, restoreLinks, soakLinks, viewLinks }: LinkReaders,
  wrong: FailedLogins,
  unknown: (request: Request, response: Response) => void,
): RequestHandler {
  return (request, response, next) => {
    const token = tokenOf(request);
    const known =
      approvals.read(token).kind !== 'unknown' ||
      [restoreLinks, soakLinks, viewLinks].some((links) => links.read(token) !== null);
    if (known) return next();
    return wrong.count(request, response, (error: unknown) => {
      if (error instanceof Error) return next(error);
      unknown(request, response);
    });
  };
}

export function tokenOf(request: Request): string {
  return String(request.params.token);
}
