import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** The nginx that the shipped configuration is started with on this machine: Debian's. */
export const NGINX = '/usr/sbin/nginx';

/** Why nginx cannot be started here; null: it can. */
export function whyNoNginx(): string | null {
  const { status, error, stderr } = spawnSync(NGINX, ['-v'], { encoding: 'utf8' });
  return status === 0 ? null : `${NGINX} does not start (${error?.message ?? stderr}): apt-get install nginx`;
}

/** Installs Debian's nginx where there is none yet; its service stays off. Without it the tests say what they skip. */
export async function ensureNginx(say: (line: string) => void): Promise<void> {
  if (whyNoNginx() === null) return;
  try {
    await ensureInstalled(['nginx'], say);
  } catch (error) {
    if (!(error instanceof LabUnavailable)) throw error;
    say(error.message);
  }
}
