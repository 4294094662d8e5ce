import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { extract, type Header } from 'tar-stream';

/** A tar ends with two blocks of zeros. */
const END_LENGTH = 1024;

export interface TarSummary {
  entries: number;
  /** The kind of the first entry, which is the archived path itself; null before there is one. */
  root: Header['type'] | null;
  /** Of the names that are watched, those that are there; `filled`: with something below. */
  folders: Map<string, 'empty' | 'filled'>;
}

/** A tar without its end. `inside`: name of the entry that it ends in; null: it ends between two. */
export class TornTar extends Error {
  constructor(readonly inside: string | null) {
    super(`the tar is cut: its end is missing${inside === null ? '' : `, inside ${inside}`}`);
  }
}

/** Passes a tar on unchanged, at the pace of its reader, and counts its entries; fails if it is cut or no tar. */
export class TarEntries extends Transform {
  readonly summary: TarSummary = { entries: 0, root: null, folders: new Map() };
  readonly #walker = extract();
  #tail: Buffer = Buffer.alloc(0);
  #inside: string | null = null;
  #failure: Error | null = null;
  #whenWalked: (() => void) | null = null;

  constructor(watched: readonly string[] = []) {
    super();
    const proceed = (): void => {
      const then = this.#whenWalked;
      this.#whenWalked = null;
      then?.();
    };
    this.#walker.on('entry', (header, content, next) => {
      if (this.summary.entries++ === 0) this.summary.root = header.type;
      this.#inside = header.name;
      this.#watch(watched, header.name.replace(/\/$/, ''));
      content.on('end', () => {
        this.#inside = null;
        next();
      });
      // For an entry that is truncated with its tar: reported once, below.
      content.on('error', () => undefined);
      content.resume();
    });
    this.#walker.on('drain', proceed);
    this.#walker.on('finish', proceed);
    this.#walker.on('error', (error: Error) => {
      this.#failure = error;
      proceed();
    });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-END_LENGTH)]).subarray(-END_LENGTH);
    const passOn = (): void => done(this.#failure, chunk);
    if (this.#failure !== null || this.#walker.write(chunk)) passOn();
    else this.#whenWalked = passOn;
  }

  /**
   * The engine only logs a file that it cannot read to its end, such as one that got shorter meanwhile, and cuts the tar
   * there (measured, Engine 26.1): it may still end between two entries, but never with the blocks of zeros. A file that grows is read
   * up to the size that it had at first.
   */
  override _flush(done: TransformCallback): void {
    const ended = this.#tail.length === END_LENGTH && this.#tail.every((byte) => byte === 0);
    const verdict = (): void => done(ended && this.#inside === null ? this.#failure : new TornTar(this.#inside));
    if (this.#failure !== null) return verdict();
    this.#whenWalked = verdict;
    this.#walker.end(null);
  }

  #watch(watched: readonly string[], name: string): void {
    const { folders } = this.summary;
    for (const one of watched) {
      if (name.startsWith(`${one}/`)) folders.set(one, 'filled');
      else if (name === one && !folders.has(one)) folders.set(one, 'empty');
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#walker.destroy();
    done(error);
  }
}
