import { spawnSync } from 'node:child_process';
import { ensureInstalled } from './engine/debian-packages';
import { LabUnavailable } from './lab-unavailable';

/** A program of Debian that tests start on this machine. */
export interface DebianProgram {
  path: string;
  /** Why it does not start here; null: it does. */
  whyNot(): string | null;
  /** Installs its package where there is none yet; a service stays off. Without it the tests say what they skip. */
  ensure(say: (line: string) => void): Promise<void>;
}

/** The nginx that the shipped configuration is started with. */
export const NGINX = debianProgram('nginx', '/usr/sbin/nginx', '-v');
/** The restic that backups are stored with. */
export const RESTIC = debianProgram('restic', '/usr/bin/restic', 'version');

function debianProgram(name: string, path: string, version: string): DebianProgram {
  const whyNot = (): string | null => {
    const { status, error, stderr } = spawnSync(path, [version], { encoding: 'utf8' });
    return status === 0 ? null : `${path} does not start (${error?.message ?? stderr}): apt-get install ${name}`;
  };
  const ensure = async (say: (line: string) => void): Promise<void> => {
    if (whyNot() === null) return;
    try {
      await ensureInstalled([name], say);
    } catch (error) {
      if (!(error instanceof LabUnavailable)) throw error;
      say(error.message);
    }
  };
  return { path, whyNot, ensure };
}
