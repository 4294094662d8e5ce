import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EngineError } from '../../src/domain/errors';
import type { BackupStorage } from '../../src/ports/backup-storage';
import { checkStorage } from '../../src/backups/check-storage';

export interface StorageUnderTest {
  storage: BackupStorage;
  /** What of unfinished objects is left: parts, temporary files. */
  leftovers: () => Promise<string[]>;
}

const MIB = 1024 * 1024;

/** What every backup storage promises (src/ports/backup-storage.ts). `open` gives an empty one for each test. */
export function backupStorageContract(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name} as backup storage`, () => {
    let storage: BackupStorage;
    let leftovers: StorageUnderTest['leftovers'];
    beforeEach(async () => ({ storage, leftovers } = await open()));

    const read = async (key: string): Promise<Buffer> => buffer(await storage.get(key));
    const put = (key: string, content: Buffer): Promise<{ bytes: number }> =>
      storage.put(key, Readable.from(inChunks(content), { objectMode: false }));

    it.each([
      ['nothing', 0],
      ['one byte', 1],
      ['one part to the byte', 16 * MIB],
      ['several parts', 33 * MIB + 17],
    ])('gives back %s exactly as stored, and tells its size', async (_what, size) => {
      const content = randomBytes(size);
      expect(await put('shop/set/item.dump', content)).toEqual({ bytes: size });
      expect((await read('shop/set/item.dump')).equals(content)).toBe(true);
      expect(await leftovers()).toEqual([]);
    });

    it('replaces an object of the same key', async () => {
      await put('a/b', Buffer.from('first, and longer'));
      await put('a/b', Buffer.from('second'));
      expect((await read('a/b')).toString()).toBe('second');
    });

    it.each([
      ['before its first byte', 0],
      ['inside the first part', 3 * MIB],
      ['after several parts', 33 * MIB],
    ])('keeps nothing of a stream that fails %s, and rejects with its error', async (_where, after) => {
      const failure = new EngineError('exec_failed', 'pg_dump ended with exit code 1');
      await expect(storage.put('a/broken', failsAfter(after, failure))).rejects.toBe(failure);
      await expect(storage.get('a/broken')).rejects.toMatchObject({ code: 'object_not_found' });
      expect(await storage.list('')).toEqual([]);
      expect(await leftovers()).toEqual([]);
    });

    it('keeps nothing of a stream that is destroyed without an error', async () => {
      const content = new Readable({ read: () => undefined });
      content.push(randomBytes(MIB));
      const stored = storage.put('a/cut', content);
      setImmediate(() => content.destroy());
      await expect(stored).rejects.toThrow();
      expect(await storage.list('')).toEqual([]);
      expect(await leftovers()).toEqual([]);
    });

    it('lists the keys below a prefix with their sizes, in order of key', async () => {
      for (const key of ['shop/2/b', 'shop/2/a', 'shop/10/c', 'shopping/1/x', 'top']) await put(key, Buffer.from(key));
      expect(await storage.list('shop/')).toEqual([
        { key: 'shop/10/c', bytes: 9 },
        { key: 'shop/2/a', bytes: 8 },
        { key: 'shop/2/b', bytes: 8 },
      ]);
      expect((await storage.list('')).map(({ key }) => key)).toEqual([
        'shop/10/c',
        'shop/2/a',
        'shop/2/b',
        'shopping/1/x',
        'top',
      ]);
      expect(await storage.list('nothing/')).toEqual([]);
    });

    it('deletes one object, and does not mind one that is not there', async () => {
      await put('a/1', Buffer.from('1'));
      await put('a/2', Buffer.from('2'));
      await storage.delete('a/1');
      await storage.delete('a/1');
      expect((await storage.list('')).map(({ key }) => key)).toEqual(['a/2']);
    });

    it('says of an object that is not there that it is not', async () => {
      await expect(storage.get('never/stored')).rejects.toMatchObject({ code: 'object_not_found' });
    });

    it('lets a reader stop in the middle', async () => {
      await put('a/large', randomBytes(20 * MIB));
      const content = await storage.get('a/large');
      await once(content, 'readable');
      content.destroy();
      expect(content.destroyed).toBe(true);
      expect((await read('a/large')).length).toBe(20 * MIB);
    });

    it('checks itself without leaving anything', async () => {
      await checkStorage(storage);
      expect(await storage.list('')).toEqual([]);
    });

    it('tells the address of a key without credentials', () => {
      expect(storage.urlOf('shop/set')).toMatch(/^(file:\/\/|s3:\/\/|memory:\/\/|restic:)[^@?]*\/shop\/set$/);
    });
  });
}

function* inChunks(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536);
}

function failsAfter(bytes: number, failure: Error): Readable {
  let sent = 0;
  return new Readable({
    read() {
      if (sent >= bytes) return void this.destroy(failure);
      sent += 65_536;
      this.push(Buffer.alloc(65_536, 7));
    },
  });
}
