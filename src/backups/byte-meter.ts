import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

/** Counts and hashes what passes through; `total` is valid once the stream has ended. */
export class ByteMeter extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  constructor(private readonly onBytes: (bytes: number) => void = () => undefined) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    this.onBytes(this.#bytes);
    done(null, chunk);
  }

  /** Of all that passed. To be asked once. */
  total(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}
