import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
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
    // Read whole: a process that dies while it reads would leave the object open.
    get: (key) => unless(async () => Readable.from(pieces(await buffer(await stored.get(key))))),
    list: (prefix) => unless(() => stored.list(prefix)),
    delete: (key) => unless(() => stored.delete(key)),
  };
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
