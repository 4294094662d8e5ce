import { randomUUID } from 'node:crypto';
import { open, readdir, rm, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { PilotError, StorageError } from '../../domain/errors';
import { DAY_MS } from '../../domain/format';
import { makeFolder, writeAtomically } from '../../lib/files';
import { checkedLength } from '../../lib/streams';
import type { BackupStorage } from '../../ports/backup-storage';

const CUT = new StorageError('storage_unreachable', 'The file was cut while it was read.');

/** The default of 64 KiB costs a large object many times as many calls. */
const READ_SIZE = 256 * 1024;

/** Keeps backups as files below one folder (`PILOT_BACKUP_URL=file:///folder`), readable by their owner alone. */
export function createFileStorage(options: { directory: string }): BackupStorage {
  const directory = path.resolve(options.directory);
  return {
    urlOf: (key) => pathToFileURL(pathOfKey(directory, key)).href,
    put: async (key, content) => writeWhole(directory, pathOfKey(directory, key), content),
    get: (key) => read(directory, key),
    list: (prefix) => listDirectory(directory, prefix),
    delete: (key) => remove(directory, key),
  };
}

async function read(directory: string, key: string): Promise<Readable> {
  try {
    const file = await open(pathOfKey(directory, key), 'r');
    const { size } = await file.stat();
    return checkedLength(file.createReadStream({ highWaterMark: READ_SIZE }), size, (error) =>
      fileStorageError(error ?? CUT, key),
    );
  } catch (error) {
    throw fileStorageError(error, key);
  }
}

async function listDirectory(directory: string, prefix: string): ReturnType<BackupStorage['list']> {
  try {
    const keys = (await keysBelow(directory, '')).filter((key) => key.startsWith(prefix)).sort();
    const sizes = await Promise.all(keys.map((key) => sizeOf(directory, key)));
    return keys.flatMap((key, index) => (sizes[index] === null ? [] : [{ key, bytes: sizes[index] as number }]));
  } catch (error) {
    throw fileStorageError(error, prefix);
  }
}

async function remove(directory: string, key: string): Promise<void> {
  try {
    await unlink(pathOfKey(directory, key));
    await removeEmptyFolders(directory, path.posix.dirname(key));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw fileStorageError(error, key);
  }
}

/** A folder that is not there yet holds nothing; names that begin with a dot are not ours. */
async function keysBelow(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(directory, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const visible = entries.filter((entry) => !entry.name.startsWith('.'));
  const files = visible.filter((entry) => entry.isFile()).map((entry) => folder + entry.name);
  const folders = visible.filter((entry) => entry.isDirectory());
  const below = await Promise.all(folders.map((entry) => keysBelow(directory, `${folder}${entry.name}/`)));
  return [...files, ...below.flat()];
}

async function sizeOf(directory: string, key: string): Promise<number | null> {
  try {
    return (await stat(path.join(directory, key))).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function removeEmptyFolders(directory: string, folder: string): Promise<void> {
  if (folder === '.') return;
  try {
    await rmdir(path.join(directory, folder));
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
    throw error;
  }
  await removeEmptyFolders(directory, path.posix.dirname(folder));
}

/** The file of a key. A key with an empty part, or one that begins with a dot, leads nowhere: not out of the folder, nor to what is not an object. */
function pathOfKey(directory: string, key: string): string {
  const parts = key.split('/');
  const fine = parts.every((part) => part !== '' && !part.startsWith('.') && !/[\0\\]/.test(part));
  if (!fine) throw new StorageError('storage_refused', `Not a key of the backup storage: ${JSON.stringify(key)}`);
  return path.join(directory, ...parts);
}

/** Where files are until they are whole. Below the same folder, as a rename does not cross file systems. */
const PARTIAL = '.partial';
const LEFT_BEHIND_MS = DAY_MS;

/**
 * Writes all of the stream to `target`, on the disk when this resolves, or leaves nothing. An error of the stream
 * rejects as it is, one of the disk as a `StorageError`.
 */
async function writeWhole(root: string, target: string, content: Readable): Promise<{ bytes: number }> {
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

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

/** What the file system said, as the port's errors. Paths of this machine stay out of the message. */
function fileStorageError(error: unknown, key: string): PilotError {
  if (error instanceof PilotError) return error;
  const code = errnoOf(error);
  const options = { cause: error };
  if (code === 'ENOENT') return new StorageError('object_not_found', `${key} is not in the backup storage.`, options);
  if (FULL.has(code)) {
    const advice = 'Free some space there, or let PILOT_BACKUP_URL name a larger place.';
    return new StorageError('storage_full', `The backup folder is full (${code}). ${advice}`, options);
  }
  if (REFUSED.has(code)) return refusal(code, error);
  const advice = 'Look at the disk or the network share that PILOT_BACKUP_URL names.';
  return new StorageError('storage_unreachable', `The backup folder does not work (${code}). ${advice}`, options);
}

/** The same for what is being written: where nothing can be made, nothing is merely missing. */
function asWriteError(error: unknown, key: string): PilotError {
  return hasCode(error, 'ENOENT') ? refusal('ENOENT', error) : fileStorageError(error, key);
}

function refusal(code: string, cause: unknown): StorageError {
  const advice = 'The user that diun-pilot runs as must be able to write to the folder that PILOT_BACKUP_URL names.';
  return new StorageError('storage_refused', `The backup folder refuses access (${code}). ${advice}`, { cause });
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes(errnoOf(error));
}

function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown error';
}
