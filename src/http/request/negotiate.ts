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
 * The operator page as this reader sees it, relative to the address of the request: a proxy may serve diun-pilot below a path
 * (PILOT_PUBLIC_URL). Null: it is not there. A proxy that passes on only the addresses of mails, and has something else at its
 * root, says `X-Pilot-Root: elsewhere` (nginx/https.conf.template): nothing else could know.
 */
export function homeFor({ headers, path }: Pick<Request, 'headers' | 'path'>): string | null {
  if (headers['x-pilot-root'] === 'elsewhere') return null;
  const folders = path.split('/').length - 2;
  return folders > 0 ? '../'.repeat(folders) : './';
}
