import type { Request, RequestHandler, Response } from 'express';
import { PilotError } from '../../domain/errors';
import { printableLine } from '../../lib/printable';
import type { LinkUse } from '../../ports/store';
import type { HttpDeps } from '../deps';
import { addressOfClient } from './client-address';
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

export function unknownLink(): PilotError {
  return new PilotError('not_found', 'Invalid link: copy the whole link from the mail.');
}

export function tokenOf(request: Request): string {
  return String(request.params.token);
}

/** After a button: to the same address, which shows what came of it. Relative, since a proxy may serve it below a path (PILOT_PUBLIC_URL). */
export function backToLink(request: Request, response: Response): void {
  response.redirect(303, `../approvals/${encodeURIComponent(tokenOf(request))}`);
}

type Person = Pick<LinkUse, 'address' | 'userAgent'>;

const MOST_LINKS = 500;
const MOST_OPENERS = 10;
const LONGEST_AGENT = 200;

/** Who opened which link. In memory, since opening a link writes nothing: a restart forgets it. */
export interface LinkOpeners {
  note(request: Request, response: Response, updateId: string): void;
  /** For the audit trail, when the link decides. */
  use(request: Request, response: Response, updateId: string | null): LinkUse;
}

export function createLinkOpeners(): LinkOpeners {
  const byUpdate = new Map<string, Map<string, Person>>();
  return {
    note: (request, response, updateId) => {
      const person = personOf(request, response);
      const opened = byUpdate.get(updateId) ?? new Map<string, Person>();
      if (opened.size < MOST_OPENERS) opened.set(keyOf(person), person);
      // The most recent last, so that the first is the one to forget.
      byUpdate.delete(updateId);
      byUpdate.set(updateId, opened);
      const [oldest] = byUpdate.keys();
      if (byUpdate.size > MOST_LINKS && oldest !== undefined) byUpdate.delete(oldest);
    },
    use: (request, response, updateId) => {
      const person = personOf(request, response);
      const opened = [...(byUpdate.get(updateId ?? '')?.values() ?? [])];
      return { ...person, alsoOpenedBy: opened.filter((each) => keyOf(each) !== keyOf(person)) };
    },
  };
}

function personOf(request: Request, response: Response): Person {
  const userAgent = printableLine(request.headers['user-agent'] ?? '').slice(0, LONGEST_AGENT);
  return { address: addressOfClient(response), userAgent };
}

function keyOf({ address, userAgent }: Person): string {
  return `${address} ${userAgent}`;
}
