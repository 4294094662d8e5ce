import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from '../../lib/files/write-atomically';
import { hardLink } from './may-replace';

/**
 * Writes the text to a temporary file next to the file, with its mode and owner, and renames it into place, so that at any
 * moment one of the two is complete. `check` runs last, just before. A crash may leave the temporary file; the next call
 * removes it.
 */
export async function replaceWhole(file: string, text: string, check: () => Promise<void>): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.diun-pilot-new`);
  const { nlink, mode, uid, gid } = await lstat(file);
  if (nlink > 1) throw hardLink(file);
  await rm(temporary, { force: true });
  await writeAtomically(file, {
    ...{ temporary, check },
    fill: async (made) => {
      const owner = await made.stat();
      if (owner.uid !== uid || owner.gid !== gid) await made.chown(uid, gid);
      await made.writeFile(text);
      await made.chmod(mode & 0o7777);
    },
  });
}
