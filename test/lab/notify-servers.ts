import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** Debian's Python, for which Debian's Apprise is installed. */
export const PYTHON = '/usr/bin/python3';
const PROGRAMS: [packageName: string, file: string, ...args: string[]][] = [
  ['ntfy', '/usr/bin/ntfy', '--help'],
  ['apprise', PYTHON, '-c', 'import apprise'],
  ['prometheus', '/usr/bin/promtool', '--version'],
];

/** Why ntfy, Apprise or Prometheus cannot be started here; null: they can. */
export function whyNoNotifyServers(): string | null {
  const missing = PROGRAMS.filter(([, file, ...args]) => spawnSync(file, args).status !== 0).map(([name]) => name);
  return missing.length === 0 ? null : `not installed: apt-get install ${missing.join(' ')} (ntfy is in Debian 13)`;
}

/** Installs Debian's packages where they are missing; their services stay off. Without them the tests say what they skip. */
export async function ensureNotifyServers(say: (line: string) => void): Promise<void> {
  if (whyNoNotifyServers() === null) return;
  try {
    await ensureInstalled(
      PROGRAMS.map(([name]) => name),
      say,
    );
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(error.message);
  }
}
