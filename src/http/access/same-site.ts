import type { Request, RequestHandler } from 'express';
import { PilotError } from '../../domain/errors';

/**
 * Refuses a POST that another site made a browser send (`cross_site`). Our pages send no referrer, and so their own
 * forms come with `Origin: null` (Fetch standard, "append a request Origin header"): that passes here, because such a
 * form also carries a secret of ours, the link's token or a form token.
 */
export function refuseCrossSite({ publicUrl }: { publicUrl: string }): RequestHandler {
  return (request, _response, next) => next(isForeign(request, publicUrl) ? crossSite() : undefined);
}

/** For a POST without such a secret, let in by what a browser sends by itself: no unknown origin passes. */
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
  if (origin === undefined || origin === 'null') return false;
  return !URL.canParse(origin) || !ownHosts(request, publicUrl).includes(new URL(origin).host);
}

/** Behind a proxy the Host that arrives may be another one than the operator's browser sees. */
function ownHosts(request: Request, publicUrl: string): string[] {
  return [request.headers.host ?? '', new URL(publicUrl).host].filter((host) => host !== '');
}
