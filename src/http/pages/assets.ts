import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Two small files, read once; the build copies them beside this one.
export const PAGE_CSS = read('page.css');
export const LIVE_SCRIPT = read('live.js');

/** For the policy that lets this one style be, and no other. */
export const PAGE_CSS_HASH = `sha256-${createHash('sha256').update(PAGE_CSS).digest('base64')}`;

export const LIVE_SCRIPT_ROUTE = '/assets/live.js';
/** Another version has another address, so that a browser may keep each. */
export const LIVE_SCRIPT_PATH = `${LIVE_SCRIPT_ROUTE}?v=${createHash('sha256').update(LIVE_SCRIPT).digest('hex').slice(0, 12)}`;

function read(file: string): string {
  return readFileSync(join(__dirname, 'assets', file), 'utf8');
}
