import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import type { ProjectFile, ProjectFiles } from '../../ports/project-files';
import { mayReplace } from './may-replace';
import { asRefusal, hasCode } from './refusals';
import { replaceWhole } from './replace-whole';

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
    if (!stat.isFile()) throw refused(`${shown} is not a regular file.`);
    if (stat.size > LONGEST) throw refused(`${shown} is larger than ${LONGEST / 1024} KiB, so it is not read.`);
    return decode(await file.readFile(), shown);
  } finally {
    await file.close();
  }
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused(`${shown} is not UTF-8, so it is not read.`);
  }
}

/** Links are followed first, so that one cannot lead out of the folder. */
async function withinFolder({ folder, path: named }: ProjectFile): Promise<string> {
  const [root, real] = [await realpath(folder), await realpath(named)];
  const relative = path.relative(root, real);
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative))
    throw refused(`${named} is outside of the project's folder ${folder}, where diun-pilot writes nothing.`);
  return real;
}

function changedMeanwhile(shown: string): PilotError {
  return refused(`${shown} was changed externally at the same moment.`);
}

function refused(message: string): PilotError {
  return new PilotError('project_file_refused', message);
}
