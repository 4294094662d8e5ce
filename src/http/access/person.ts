import type { RequestHandler, Response } from 'express';
import { PilotError } from '../../domain/errors';
import type { DecidedBy } from '../../domain/update';
import { printableLine } from '../../lib/printable';
import { peerOf } from './client-address';
import type { TrustedProxies } from './trusted-proxies';

const MOST_CHARACTERS = 100;

interface Locals {
  person?: string;
}

/**
 * Notes who uses the operator page: the name in `Remote-User`, as Authelia, Authentik and oauth2-proxy send it through a
 * proxy of `PILOT_TRUSTED_PROXY`. From any other peer the header is refused (`person_not_trusted`): every client can send it.
 * It only names the person. The page's password is still needed, because a listed proxy may hand on what a client sent.
 */
export function notePerson(proxies: TrustedProxies): RequestHandler {
  return async (request, response, next) => {
    const name = nameIn(request.headers['remote-user']);
    if (name === null) return next();
    if (!(await proxies.include(peerOf(request)))) return next(notTrusted());
    (response.locals as Locals).person = name;
    next();
  };
}

/** Who decides on the operator page. */
export function personOf(response: Response): Extract<DecidedBy, 'page' | `page:${string}`> {
  const { person } = response.locals as Locals;
  return person === undefined ? 'page' : `page:${person}`;
}

/** Node reads headers as Latin-1; proxies send UTF-8. Null: no name. */
function nameIn(header: string | string[] | undefined): string | null {
  const name = printableLine(Buffer.from(String(header ?? ''), 'latin1').toString('utf8'));
  return name === '' ? null : [...name].slice(0, MOST_CHARACTERS).join('');
}

function notTrusted(): PilotError {
  return new PilotError(
    'person_not_trusted',
    'The request has a Remote-User header, but does not come from a proxy of PILOT_TRUSTED_PROXY, so nothing was done. List the address or name of that proxy, or let it remove the header.',
  );
}
