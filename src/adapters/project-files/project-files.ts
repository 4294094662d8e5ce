import { constants } from 'node:fs';
import { access, lstat, open, readFile, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import { writeAtomically } from '../../lib/files';
import type { ProjectFile, ProjectFiles } from '../../ports/compose';

/** No compose file or `.env` comes near it, and a reader of YAML ends well with it. */
const LONGEST = BOUNDS.projectFile.bytes;

export function createProjectFiles(): ProjectFiles {
  return {
    read: async (file) => {
      try {
        return await readText(await realpath(file.path), file.path);
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
        throw asRefusal(error, file.path);
      }
    },
    mayReplace: async (file) => {
      try {
        await mayReplace(await withinFolder(file), file.path);
      } catch (error) {
        throw asRefusal(error, file.path);
      }
    },
    replace: async (file, before, after) => {
      try {
        const real = await withinFolder(file);
        await replaceWhole(real, after, async () => {
          if ((await readText(real, file.path)) !== before) throw changedMeanwhile(file.path);
        });
      } catch (error) {
        throw asRefusal(error, file.path);
      }
    },
  };
}

async function readText(real: string, shown: string): Promise<string> {
  const file = await open(real, 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw projectFileRefused(`${shown} is not a regular file.`);
    if (stat.size > LONGEST)
      throw projectFileRefused(`${shown} is larger than ${LONGEST / 1024} KiB, so it is not read.`);
    return decode(await file.readFile(), shown);
  } finally {
    await file.close();
  }
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw projectFileRefused(`${shown} is not UTF-8, so it is not read.`);
  }
}

/** Links are followed first, so that one cannot lead out of the folder. */
async function withinFolder({ folder, path: named }: ProjectFile): Promise<string> {
  const [root, real] = [await realpath(folder), await realpath(named)];
  const relative = path.relative(root, real);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative))
    throw projectFileRefused(`${named} is outside of the project's folder ${folder}, where diun-pilot writes nothing.`);
  return real;
}

function changedMeanwhile(shown: string): PilotError {
  return projectFileRefused(`${shown} was changed externally at the same moment.`);
}

function projectFileRefused(message: string): PilotError {
  return new PilotError('project_file_refused', message);
}

/**
 * Writes the text to a temporary file next to the file, with its mode and owner, and renames it into place, so that at any
 * moment one of the two is complete. `check` runs last, just before. A crash may leave the temporary file; the next call
 * removes it.
 */
async function replaceWhole(file: string, text: string, check: () => Promise<void>): Promise<void> {
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

/** Rejects with what replacing a file (its real path) would meet, as far as that can be known without writing. */
async function mayReplace(file: string, shown: string): Promise<void> {
  const { nlink, uid } = await lstat(file);
  if (nlink > 1) throw hardLink(shown);
  if (await isMountPoint(file)) throw Object.assign(new Error('a mount point'), { code: 'EBUSY' });
  await access(path.dirname(file), constants.W_OK);
  const own = process.getuid?.();
  // Its owner is kept, and only root may change the owner of a file.
  if (own !== undefined && own !== 0 && own !== uid) throw Object.assign(new Error('not the owner'), { code: 'EPERM' });
}

function hardLink(shown: string): PilotError {
  const message = `${shown} has a second name (a hard link), which would keep the old text.`;
  return new PilotError('project_file_refused', message);
}

/** Where the kernel does not tell (no Linux), nothing is claimed. */
async function isMountPoint(file: string): Promise<boolean> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return table.split('\n').some((line) => line.split(' ')[4]?.replaceAll('\\040', ' ') === file);
}

const MOUNT = 'mount the folder of the project writable, at the same path, into the container of diun-pilot';

/** The error of the file system, as text for the operator. */
function asRefusal(error: unknown, shown: string): PilotError {
  if (error instanceof PilotError) return error;
  return new PilotError('project_file_refused', refusalText(codeOf(error), shown), { cause: error });
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(codeOf(error));
}

function refusalText(code: string, shown: string): string {
  switch (code) {
    case 'EROFS':
      return `${shown} is mounted read-only: ${MOUNT}.`;
    case 'EBUSY':
      return `${shown} is mounted as a single file, so it cannot be replaced atomically: ${MOUNT}.`;
    case 'EACCES':
    case 'EPERM':
      return `The user that diun-pilot runs as may not read and replace ${shown} (${code}): mount the folder of the project writable, at the same path, and run diun-pilot as its owner (user: in its compose file).`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `${shown} is not there: ${MOUNT}.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk of ${shown} is full (${code}): make room there.`;
    default:
      return `${shown} cannot be read and replaced (${code}): look at its disk.`;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
