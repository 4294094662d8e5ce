import { existsSync } from 'node:fs';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** The Chromium that the pages are seen with: `CHROMIUM_BIN`, else Debian's. */
export function chromium(): string {
  return process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium';
}

/** Why no page can be seen in a browser here; null: it can. */
export function whyNoBrowser(): string | null {
  if (existsSync(chromium())) return null;
  return `there is no Chromium at ${chromium()}: apt-get install chromium, or set CHROMIUM_BIN to one`;
}

/** Installs Debian's Chromium where there is none yet. What is in the way is said; the tests then say what they skip. */
export async function ensureBrowser(say: (line: string) => void): Promise<void> {
  if (existsSync(chromium())) return;
  try {
    await ensureInstalled(['chromium'], say);
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(error.message);
  }
}
