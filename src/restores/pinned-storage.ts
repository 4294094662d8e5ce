import { createHash } from 'node:crypto';
import { PassThrough, Transform, Writable, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BackupItem } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';
import type { BackupStorage } from '../ports/backup-storage';

const CHUNK = 1024 * 1024;
const HEAD = 16 * 1024;

/** A storage whose objects cannot change between being checked and being used, without a copy of them on this disk. */
export interface PinnedStorage extends BackupStorage {
  /**
   * The bytes of an item, each given out only once it is known to be part of what the manifest's hash is of. Rejects with
   * `backup_not_verified`, and so does the stream.
   */
  getPinned(item: Pick<BackupItem, 'key' | 'sha256'>): Promise<Readable>;
  /** The first bytes of an object that was read to its end; empty: it was not. */
  headOf(key: string): Buffer;
}

interface Pin {
  /** After each mebibyte the SHA-256 of all bytes so far: the last one is that of the object. */
  soFar: Buffer[];
  head: Buffer;
}

/** The hash up to each mebibyte is kept while an object is read to its end, and compared whenever it is read again. */
export function pinned(storage: BackupStorage): PinnedStorage {
  const pins = new Map<string, Pin>();
  const hashOf = (key: string): string | null => pins.get(key)?.soFar.at(-1)?.toString('hex') ?? null;
  const get = async (key: string): Promise<Readable> =>
    through(await storage.get(key), new Chunks(null, key, (pin) => pins.set(key, pin)));
  return {
    ...storage,
    get,
    headOf: (key) => pins.get(key)?.head ?? Buffer.alloc(0),
    getPinned: async ({ key, sha256 }) => {
      if (hashOf(key) !== sha256) {
        pins.delete(key);
        await pipeline(await get(key), new Writable({ write: (_chunk, _encoding, done) => done() }));
      }
      const pin = pins.get(key);
      if (pin === undefined || hashOf(key) !== sha256) throw changed(key);
      return through(await storage.get(key), new Chunks(pin.soFar, key, () => undefined));
    },
  };
}

function through(stored: Readable, chunks: Chunks): Readable {
  stored.on('error', (error) => chunks.destroy(error));
  chunks.on('close', () => stored.destroy());
  return stored.pipe(chunks);
}

/** With `expected`, a chunk that is another is an error and is not passed on. */
class Chunks extends Transform {
  readonly #hash = createHash('sha256');
  readonly #soFar: Buffer[] = [];
  #head: Buffer = Buffer.alloc(0);
  #pending: Buffer[] = [];
  #bytes = 0;

  constructor(
    private readonly expected: readonly Buffer[] | null,
    private readonly key: string,
    private readonly ended: (pin: Pin) => void,
  ) {
    super();
  }

  override _transform(part: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = part;
    while (this.#bytes + rest.length >= CHUNK) {
      const missing = CHUNK - this.#bytes;
      this.#pending.push(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      if (!this.#passOn()) return done(changed(this.key));
    }
    if (rest.length > 0) this.#pending.push(rest);
    this.#bytes += rest.length;
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#pending.length > 0 && !this.#passOn()) return done(changed(this.key));
    if (this.expected !== null && this.expected.length !== this.#soFar.length) return done(changed(this.key));
    this.ended({ soFar: this.#soFar, head: this.#head });
    done();
  }

  #passOn(): boolean {
    const [first] = this.#pending;
    const chunk = this.#pending.length === 1 && first !== undefined ? first : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#bytes = 0;
    const soFar = this.#hash.update(chunk).copy().digest();
    if (this.expected !== null && this.expected[this.#soFar.length]?.equals(soFar) !== true) return false;
    if (this.#soFar.length === 0) this.#head = Buffer.from(chunk.subarray(0, HEAD));
    this.#soFar.push(soFar);
    this.push(chunk);
    return true;
  }
}

function changed(key: string): PilotError {
  return new PilotError(
    'backup_not_verified',
    `The object ${key} does not match its hash in the manifest: it is damaged, or was replaced during the restore. Choose another set (diun-pilot backups), and check who can write to the backup storage.`,
  );
}

/**
 * What was backed up, after decompression: the very bytes whose hash the manifest has. Fails where it is cut, and takes
 * the stream from the storage along. Rejects with `backup_not_verified`.
 */
export async function readItem(storage: PinnedStorage, item: BackupItem): Promise<Readable> {
  const stored = await storage.getPinned(item);
  const content = item.compression === 'gzip' ? createGunzip() : new PassThrough();
  stored.on('error', (error) => content.destroy(error));
  content.on('close', () => stored.destroy());
  return stored.pipe(content);
}
