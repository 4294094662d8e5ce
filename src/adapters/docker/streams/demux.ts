import type { Readable } from 'node:stream';
import { EngineError } from '../../../domain/errors';

const HEADER_BYTES = 8;
const STDERR = 2;

export interface Sink {
  /** Answers whether more is wanted now; if not, the source waits for its `resume`. */
  stdout(part: Buffer): boolean;
  stderr(part: Buffer): void;
}

/**
 * Takes the engine's multiplexed stream apart (Engine API, "Attach to a container": eight bytes of header with stream and
 * length before each frame) without copying. Resolves at its end; a stream that is cut inside a frame rejects.
 */
export function demux(source: Readable, sink: Sink): Promise<void> {
  const frames = new Frames(sink);
  return new Promise((resolve, reject) => {
    source.on('data', (chunk: Buffer) => {
      if (!frames.take(chunk)) source.pause();
    });
    source.once('end', () => (frames.isWhole() ? resolve() : reject(cut())));
    source.once('error', (error) => reject(cut(error)));
    source.once('close', () => reject(cut()));
  });
}

function cut(cause?: Error): EngineError {
  return new EngineError(
    'engine_unreachable',
    'The connection to the Docker Engine was cut in the middle of a stream.',
    { cause },
  );
}

class Frames {
  #header = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #left = 0;

  constructor(private readonly sink: Sink) {}

  isWhole(): boolean {
    return this.#left === 0 && this.#headerFilled === 0;
  }

  /** Hands on what the chunk holds; answers whether more is wanted. */
  take(chunk: Buffer): boolean {
    let wanted = true;
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        at += this.#takeHeader(chunk, at);
        continue;
      }
      const part = chunk.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      if (this.#header[0] === STDERR) this.sink.stderr(part);
      else wanted = this.sink.stdout(part) && wanted;
    }
    return wanted;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#header, this.#headerFilled, at, at + HEADER_BYTES - this.#headerFilled);
    this.#headerFilled += copied;
    if (this.#headerFilled === HEADER_BYTES) {
      this.#left = this.#header.readUInt32BE(4);
      this.#headerFilled = 0;
    }
    return copied;
  }
}
