import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { makeFolder } from '../../lib/make-folder';
import { asWriteError } from './file-errors';

/** Where files are until they are whole. Below the same folder, as a rename does not cross file systems. */
const PARTIAL = '.partial';
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/**
 * Writes all of the stream to `target`, on the disk when this resolves, or leaves nothing. An error of the stream
 * rejects as it is, one of the disk as a `StorageError`.
 */
export async function writeWhole(root: string, target: string, content: Readable): Promise<{ bytes: number }> {
  const partial = path.join(root, PARTIAL, randomUUID());
  try {
    const file = await onDisk(() => openPartial(partial));
    const bytes = await fill(file, content);
    await onDisk(() => removeLeftovers(partial));
    await onDisk(() => moveIntoPlace(root, partial, target));
    return { bytes };
  } catch (error) {
    content.destroy();
    // What cannot be removed now is removed as a leftover later; the first error is the one to tell.
    await rm(partial, { force: true }).catch(() => undefined);
    throw error instanceof DiskError ? asWriteError(error.cause, path.relative(root, target)) : error;
  }
}

/** Marks an error of the disk, because an error of the stream may come from a disk as well. */
class DiskError extends Error {}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new DiskError('disk', { cause: error });
  }
}

async function openPartial(partial: string): Promise<FileHandle> {
  await makeFolder(path.dirname(partial));
  return open(partial, 'wx', 0o600);
}

async function fill(file: FileHandle, content: Readable): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      await onDisk(() => file.writeFile(chunk));
      bytes += chunk.length;
    }
    await onDisk(() => file.sync());
  } catch (error) {
    // The first error is the one to tell; some file systems repeat it here.
    await file.close().catch(() => undefined);
    throw error;
  }
  await onDisk(() => file.close());
  return bytes;
}

/** A name is only safe on the disk when its folder is, so every folder up to the root is synced as well. */
async function moveIntoPlace(root: string, partial: string, target: string): Promise<void> {
  await makeFolder(path.dirname(target));
  await rename(partial, target);
  const parts = path.relative(root, path.dirname(target)).split(path.sep);
  for (let depth = parts.length; depth >= 0; depth--) {
    const folder = await open(path.join(root, ...parts.slice(0, depth)), 'r');
    await folder.sync().finally(() => folder.close());
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
