import { randomUUID } from 'node:crypto';
import { open, readdir, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { BOUNDS } from '../../domain/bounds';
import { StorageError } from '../../domain/errors';
import { checkedLength } from '../../lib/streams/checked-length';
import { readWithin } from '../../lib/streams/read-within';
import type { BackupStorage } from '../../ports/backup-storage';
import { asStorageError, hasCode } from './file-errors';
import { writeWhole } from './write-whole';

const CUT = new StorageError('storage_unreachable', 'The file was cut while it was read.');

/** Keeps backups as files below one folder (`PILOT_BACKUP_URL=file:///folder`), readable by their owner alone. */
export function createFileStorage(options: { directory: string }): BackupStorage {
  const directory = path.resolve(options.directory);
  const storage: BackupStorage = {
    urlOf: (key) => pathToFileURL(pathOfKey(directory, key)).href,
    put: async (key, content) => writeWhole(directory, pathOfKey(directory, key), content),
    get: (key) => read(directory, key),
    list: (prefix) => list(directory, prefix),
    delete: (key) => remove(directory, key),
    check: () => checkByWriting(storage),
  };
  return storage;
}

async function read(directory: string, key: string): Promise<Readable> {
  try {
    const file = await open(pathOfKey(directory, key), 'r');
    const { size } = await file.stat();
    return checkedLength(file.createReadStream(), size, (error) => asStorageError(error ?? CUT, key));
  } catch (error) {
    throw asStorageError(error, key);
  }
}

async function list(directory: string, prefix: string): ReturnType<BackupStorage['list']> {
  try {
    const keys = (await keysBelow(directory, '')).filter((key) => key.startsWith(prefix)).sort();
    const sizes = await Promise.all(keys.map((key) => sizeOf(directory, key)));
    return keys.flatMap((key, index) => (sizes[index] === null ? [] : [{ key, bytes: sizes[index] as number }]));
  } catch (error) {
    throw asStorageError(error, prefix);
  }
}

async function remove(directory: string, key: string): Promise<void> {
  try {
    await unlink(pathOfKey(directory, key));
    await removeEmptyFolders(directory, path.posix.dirname(key));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw asStorageError(error, key);
  }
}

async function checkByWriting(storage: BackupStorage): Promise<void> {
  const key = `check-${randomUUID()}`;
  const written = Buffer.from(`diun-pilot check ${key}\n`);
  await storage.put(key, Readable.from([written]));
  const back = await readWithin(await storage.get(key), BOUNDS.storageCheck);
  await storage.delete(key);
  if (!back.equals(written)) throw new StorageError('storage_refused', 'The backup folder gives back other bytes.');
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
