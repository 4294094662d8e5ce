import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

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
