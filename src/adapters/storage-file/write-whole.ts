import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { makeFolder } from '../../lib/files/make-folder';
import { writeAtomically } from '../../lib/files/write-atomically';
import { asWriteError } from './file-errors';

/** Where files are until they are whole. Below the same folder, as a rename does not cross file systems. */
const PARTIAL = '.partial';
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/**
 * Writes all of the stream to `target`, on the disk when this resolves, or leaves nothing. An error of the stream
 * rejects as it is, one of the disk as a `StorageError`.
 */
export async function writeWhole(root: string, target: string, content: Readable): Promise<{ bytes: number }> {
  const temporary = path.join(root, PARTIAL, randomUUID());
  let bytes = 0;
  try {
    await makeFolder(path.dirname(temporary));
    await writeAtomically(target, {
      ...{ temporary, root },
      fill: async (file) => {
        bytes = await fill(file, content);
      },
      check: async () => {
        await removeLeftovers(temporary);
        await makeFolder(path.dirname(target));
      },
    });
    return { bytes };
  } catch (error) {
    content.destroy();
    throw error instanceof SourceError ? error.cause : asWriteError(error, path.relative(root, target));
  }
}

/** Marks an error of the stream, because it may come from a disk as well. */
class SourceError extends Error {}

async function fill(file: FileHandle, content: Readable): Promise<number> {
  const chunks = content[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  for (let bytes = 0; ;) {
    const next = await chunks.next().catch((error: unknown) => {
      throw new SourceError('the stream', { cause: error });
    });
    if (next.done === true) return bytes;
    await file.writeFile(next.value);
    bytes += next.value.length;
  }
}

/** A crash leaves its partial file; a file that is still being written is never a day old. */
async function removeLeftovers(partial: string): Promise<void> {
  const { mtimeMs: now } = await stat(partial);
  for (const name of await readdir(path.dirname(partial))) {
    const file = path.join(path.dirname(partial), name);
    const written = await stat(file).catch(() => null); // another one has finished meanwhile
    if (written !== null && now - written.mtimeMs > LEFT_BEHIND_MS) await rm(file, { force: true });
  }
}
