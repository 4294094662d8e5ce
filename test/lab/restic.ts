import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** The restic that backups are stored with on this machine: Debian's. */
export const RESTIC = '/usr/bin/restic';

/** Why tests with the real restic cannot run here; null: they can. */
export function whyNoRestic(): string | null {
  const { status, error, stderr } = spawnSync(RESTIC, ['version'], { encoding: 'utf8' });
  return status === 0 ? null : `${RESTIC} does not start (${error?.message ?? stderr}): apt-get install restic`;
}

/** Installs Debian's restic where there is none yet. Without it the tests say what they skip. */
export async function ensureRestic(say: (line: string) => void): Promise<void> {
  if (whyNoRestic() === null) return;
  try {
    await ensureInstalled(['restic'], say);
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(error.message);
  }
}
