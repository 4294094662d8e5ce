import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

export interface AtomicWrite {
  /** Where the file is until it is whole: on the same file system, for its owner alone, and not there yet. Its folder exists. */
  temporary: string;
  /** Writes the content; may change mode and owner. */
  fill: (file: FileHandle) => Promise<void>;
  /** Runs last, before the file takes its name; what it rejects with is rejected. */
  check?: () => Promise<void>;
  /** Every folder from the target's up to this one is synced; left out: the target's alone. */
  root?: string;
}

/**
 * Writes a file whole or not at all: temporary file, fsync, rename, fsync of the folders. When this resolves, it is on the disk under
 * its name. Rejects with the errors of `node:fs`, of `fill` and of `check`; the temporary file is removed then.
 */
export async function writeAtomically(target: string, { temporary, fill, check, root }: AtomicWrite): Promise<void> {
  try {
    await writeDurably(temporary, fill);
    await check?.();
    await rename(temporary, target);
  } catch (error) {
    // The first error is the one to report.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolders(path.dirname(target), root ?? path.dirname(target));
}

/** A new file for its owner alone, on the disk when this resolves. Rejects with `EEXIST` when there is one. */
export async function writeDurably(file: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await fill(handle);
    await handle.sync();
  } catch (error) {
    // The first error is the one to report; some file systems repeat it here.
    await handle.close().catch(() => undefined);
    throw error;
  }
  await handle.close();
}

/** A name is only safe on the disk when its folder is, and that one's name as well. */
async function syncFolders(folder: string, root: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
  if (folder !== root) await syncFolders(path.dirname(folder), root);
}

/**
 * Makes a folder, and those above it, for the owner alone; one that is there stays as it is. Rejects with the errors of `node:fs`.
 * Node's own `recursive` never ends where the system answers ENOENT below a folder that is there, as in `/proc` (measured, 20.20).
 */
export async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(folder);
  const parentWasThere = await isFolder(parent);
  const refusal = await make(folder);
  if (refusal === null || (refusal.code === 'EEXIST' && (await isFolder(folder)))) return;
  if (refusal.code !== 'ENOENT' || parentWasThere) throw refusal;
  await makeFolder(parent);
  await makeFolder(folder);
}

function make(folder: string): Promise<NodeJS.ErrnoException | null> {
  return mkdir(folder, { mode: 0o700 }).then(
    () => null,
    (error: NodeJS.ErrnoException) => error,
  );
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch {
    return false; // the refusal has already reported the cause
  }
}
