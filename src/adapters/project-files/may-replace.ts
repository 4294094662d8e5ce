import { constants } from 'node:fs';
import { access, lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PilotError } from '../../domain/errors';

/** Rejects with what replacing a file (its real path) would meet, as far as that can be known without writing. */
export async function mayReplace(file: string, shown: string): Promise<void> {
  const { nlink, uid } = await lstat(file);
  if (nlink > 1) throw hardLink(shown);
  if (await isMountPoint(file)) throw Object.assign(new Error('a mount point'), { code: 'EBUSY' });
  await access(path.dirname(file), constants.W_OK);
  const own = process.getuid?.();
  // Its owner is kept, and only root may change the owner of a file.
  if (own !== undefined && own !== 0 && own !== uid) throw Object.assign(new Error('not the owner'), { code: 'EPERM' });
}

export function hardLink(shown: string): PilotError {
  const message = `${shown} has a second name (a hard link), which would keep the old text.`;
  return new PilotError('project_file_refused', message);
}

/** Where the kernel does not tell (no Linux), nothing is claimed. */
async function isMountPoint(file: string): Promise<boolean> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return table.split('\n').some((line) => line.split(' ')[4]?.replaceAll('\\040', ' ') === file);
}
