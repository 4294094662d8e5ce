import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { StorageError } from '../../src/domain/errors';
import type { BackupStorage } from '../../src/ports/backup-storage';

/** Keeps objects in memory; held to the port's promises by the same contract suite as the real ones. */
export function memoryStorage(objects = new Map<string, Buffer>()): BackupStorage & { objects: Map<string, Buffer> } {
  return {
    objects,
    urlOf: (key) => `memory:///${key}`,
    put: async (key, content) => {
      const bytes = await buffer(content);
      objects.set(key, bytes);
      return { bytes: bytes.length };
    },
    get: (key) => {
      const found = objects.get(key);
      if (found === undefined) return Promise.reject(new StorageError('object_not_found', `${key} is not there.`));
      return Promise.resolve(Readable.from(inChunks(found), { objectMode: false }));
    },
    list: (prefix) =>
      Promise.resolve(
        [...objects]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, content]) => ({ key, bytes: content.length }))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
      ),
    delete: (key) => Promise.resolve(void objects.delete(key)),
  };
}

function* inChunks(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}
