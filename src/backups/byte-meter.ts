import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { formatBytes } from '../domain/format';
import type { Progress } from '../lib/logger';

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

const EVERY_BYTES = 8 * 1024 ** 2;

/** Reports a count of bytes to the journal, at the first byte and then every 8 MiB. */
export function byteProgress(say: Progress, doing: string): (bytes: number) => void {
  let next = 0;
  return (bytes) => {
    if (bytes < next) return;
    next = bytes + EVERY_BYTES;
    say(`${doing}: ${formatBytes(bytes)}`);
  };
}
