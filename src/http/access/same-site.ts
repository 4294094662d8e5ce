import type { Request, RequestHandler } from 'express';
import { PilotError } from '../../domain/errors';

/**
 * Refuses a POST that another site made a browser send (`cross_site`). Our pages send no referrer, so their own forms come
 * with `Origin: null` (Fetch standard, "append a request Origin header"). That passes here, because such a form also
 * carries a secret: the token of the link or a form token.
 */
export function refuseCrossSite({ publicUrl }: { publicUrl: string }): RequestHandler {
  return (request, _response, next) => next(isForeign(request, publicUrl) ? crossSite() : undefined);
}

/** For a POST without such a secret, admitted by what a browser sends on its own: no unknown origin passes. */
export function isForeignOrUnknown(request: Request, publicUrl: string): boolean {
  return isForeign(request, publicUrl) || request.headers.origin === 'null';
}

export function crossSite(): PilotError {
  return new PilotError(
    'cross_site',
    'This came from a page of another site, so nothing was done: open the page of diun-pilot itself, and press the button there.',
  );
}

function isForeign(request: Request, publicUrl: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = request.headers;
  return origin !== undefined && origin !== 'null' && !ownOrigins(request, publicUrl).includes(origin);
}

/**
 * Scheme, host and port of the public URL, compared as a browser writes them. On the machine itself also those of the
 * request: there `ssh -L` leads to the operator page, whatever the public URL is.
 */
function ownOrigins({ headers: { host = '' } }: Request, publicUrl: string): string[] {
  const local = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host);
  return [new URL(publicUrl).origin, ...(local ? [`http://${host}`] : [])];
}
