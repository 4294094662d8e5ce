import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** The cosign that signs on this machine: Debian 13's. */
export const COSIGN = '/usr/bin/cosign';

/** Why tests with the real cosign cannot run here; null: they can. */
export function whyNoCosign(): string | null {
  const { status, error, stderr } = spawnSync(COSIGN, ['version'], { encoding: 'utf8' });
  return status === 0
    ? null
    : `${COSIGN} does not start (${error?.message ?? stderr}): apt-get install cosign (Debian 13)`;
}

/** Installs Debian's cosign where there is none yet. Without it the tests say what they skip. */
export async function ensureCosign(say: (line: string) => void): Promise<void> {
  if (whyNoCosign() === null) return;
  try {
    await ensureInstalled(['cosign'], say);
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(error.message);
  }
}
