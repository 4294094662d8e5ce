import type { Response } from 'express';
import { LIVE_SCRIPT_HASH, PAGE_CSS_HASH } from './assets';

const STRICT = [
  "default-src 'none'",
  `style-src '${PAGE_CSS_HASH}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
];
const LIVE = [...STRICT, `script-src '${LIVE_SCRIPT_HASH}'`, "connect-src 'self'"];

/** Sends a page that is never indexed, framed or used as a referrer. `live`: it may run our script. */
export function sendPage(response: Response, status: number, html: string, { live = false } = {}): void {
  response
    .status(status)
    .vary('Accept')
    .set('Content-Security-Policy', (live ? LIVE : STRICT).join(';'))
    .set('Referrer-Policy', 'no-referrer')
    .set('X-Robots-Tag', 'noindex, nofollow')
    .type('html')
    .send(html);
}
