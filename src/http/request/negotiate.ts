import type { Request, RequestHandler, Response } from 'express';

interface Locals {
  /** The route is a page: only who asks for JSON gets JSON. */
  pageFirst?: boolean;
}

/** Marks a route that answers with a page unless the client asks for something else. */
export const pageFirst: RequestHandler = (_request, response, next) => {
  (response.locals as Locals).pageFirst = true;
  next();
};

/** A browser gets pages, errors too; curl, which takes anything, gets JSON where the route is not a page itself. */
export function wantsPage(request: Request, response: Response): boolean {
  const first = (response.locals as Locals).pageFirst === true ? ['html', 'json'] : ['json', 'html'];
  return request.accepts(first) === 'html';
}

/**
 * Whether `/` at the address that this reader sees is the operator page. A proxy that passes on only the addresses of mails, and
 * has something else at its root, says `X-Pilot-Root: elsewhere` (nginx/https.conf.template): nothing else could know.
 */
export function leadsHome({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['x-pilot-root'] !== 'elsewhere';
}
