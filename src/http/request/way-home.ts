import type { Request } from 'express';

/**
 * Whether `/` at the address that this reader sees is the operator page. A proxy that passes on only the addresses of mails, and
 * has something else at its root, says `X-Pilot-Root: elsewhere` (nginx/https.conf.template): nothing else could know.
 */
export function leadsHome({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['x-pilot-root'] !== 'elsewhere';
}
