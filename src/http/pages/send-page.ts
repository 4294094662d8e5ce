import type { Response } from 'express';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Small files, read once; the build copies them next to this one. Both are part of the page: under another service's
// name nothing but the address of a link leads to diun-pilot.
export const PAGE_CSS = ['page.css', 'charts.css', 'notes.css'].map(read).join('\n');
export const LIVE_SCRIPT = read('live.js');

/** For the policy that allows this one style and this one script, and no others. */
const PAGE_CSS_HASH = hashOf(PAGE_CSS);
const LIVE_SCRIPT_HASH = hashOf(LIVE_SCRIPT);

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

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function read(file: string): string {
  return readFileSync(join(__dirname, 'assets', file), 'utf8');
}
