import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// Small files, read once; the build copies them next to this one. Both are part of the page: under another service's
// name nothing but the address of a link leads to diun-pilot.
export const PAGE_CSS = ['page.css', 'charts.css', 'notes.css'].map(read).join('\n');
export const LIVE_SCRIPT = read('live.js');

/** For the policy that allows this one style and this one script, and no others. */
export const PAGE_CSS_HASH = hashOf(PAGE_CSS);
export const LIVE_SCRIPT_HASH = hashOf(LIVE_SCRIPT);

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function read(file: string): string {
  return readFileSync(join(__dirname, 'assets', file), 'utf8');
}
