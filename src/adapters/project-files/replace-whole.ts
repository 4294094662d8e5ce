import type { Stats } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { hardLink } from './may-replace';

/**
 * Writes the text to a temporary file next to the file, with its mode and owner, and renames it into place, so that at any
 * moment one of the two is complete. `check` runs last, just before. A crash may leave the temporary file; the next call
 * removes it.
 */
export async function replaceWhole(file: string, text: string, check: () => Promise<void>): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.diun-pilot-new`);
  const before = await lstat(file);
  if (before.nlink > 1) throw hardLink(file);
  await rm(temporary, { force: true });
  try {
    await writeLike(before, temporary, text);
    await check();
    await rename(temporary, file);
  } catch (error) {
    // The first error is reported; the next call removes the temporary file.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(path.dirname(file));
}

async function writeLike({ mode, uid, gid }: Stats, temporary: string, text: string): Promise<void> {
  const file = await open(temporary, 'wx', 0o600);
  try {
    const made = await file.stat();
    if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
    await file.writeFile(text);
    await file.chmod(mode & 0o7777);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
