import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';
import { extract, type Header } from 'tar-stream';

/** A tar ends with two blocks of zeros. */
const END_LENGTH = 1024;

export interface TarSummary {
  entries: number;
  /** The kind of the first entry, which is the archived path itself; null before there is one. */
  root: Header['type'] | null;
}

/** Passes a tar on unchanged, at the pace of its reader, and counts its entries; fails if it is cut or no tar. */
export class TarEntries extends Transform {
  readonly summary: TarSummary = { entries: 0, root: null };
  readonly #walker = extract();
  #tail: Buffer = Buffer.alloc(0);
  #failure: Error | null = null;
  #whenWalked: (() => void) | null = null;

  constructor() {
    super();
    const proceed = (): void => {
      const then = this.#whenWalked;
      this.#whenWalked = null;
      then?.();
    };
    this.#walker.on('entry', (header, content, next) => {
      if (this.summary.entries++ === 0) this.summary.root = header.type;
      content.on('end', next);
      // Of an entry that is cut off with its tar: told once, below.
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
   * The engine only logs a file that it cannot read to its end, and cuts the tar there: it may still end between two
   * entries, but never with the blocks of zeros.
   */
  override _flush(done: TransformCallback): void {
    const ended = this.#tail.length === END_LENGTH && this.#tail.every((byte) => byte === 0);
    if (!ended) return done(new Error('the tar is cut: its end is missing'));
    this.#whenWalked = () => done(this.#failure);
    this.#walker.end(null);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#walker.destroy();
    done(error);
  }
}
