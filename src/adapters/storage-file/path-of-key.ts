import path from 'node:path';
import { StorageError } from '../../domain/errors';

/** The file of a key. A key with an empty part, or one that begins with a dot, leads nowhere: not out of the folder, nor to what is not an object. */
export function pathOfKey(directory: string, key: string): string {
  const parts = key.split('/');
  const fine = parts.every((part) => part !== '' && !part.startsWith('.') && !/[\0\\]/.test(part));
  if (!fine) throw new StorageError('storage_refused', `Not a key of the backup storage: ${JSON.stringify(key)}`);
  return path.join(directory, ...parts);
}
