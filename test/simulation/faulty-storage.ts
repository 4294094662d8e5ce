import { StorageError } from '../../src/domain/errors';
import type { BackupStorage } from '../../src/ports/backup-storage';

/** A storage that does not answer for as long as `fails` says so. */
export function faultyStorage(stored: BackupStorage, fails: () => boolean): BackupStorage {
  const unless = <T>(work: () => Promise<T>): Promise<T> =>
    fails()
      ? Promise.reject(new StorageError('storage_unreachable', 'The simulated storage does not answer.'))
      : work();
  return {
    ...stored,
    put: (key, content) => {
      if (fails()) content.destroy();
      return unless(() => stored.put(key, content));
    },
    get: (key) => unless(() => stored.get(key)),
    list: (prefix) => unless(() => stored.list(prefix)),
    delete: (key) => unless(() => stored.delete(key)),
  };
}
