import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { BOUNDS } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { printableLines } from '../../../lib/printable';
import { timedOut } from '../engine-errors';

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

/** Keeps the end of an output, at most so many bytes of it: errors come last. */
export class Capture {
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly most: number = BOUNDS.commandOutput.bytes) {}

  take(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
    if (this.#bytes > 4 * this.most) this.#parts = [this.#end()];
  }

  toString(): string {
    return this.#end().toString();
  }

  #end(): Buffer {
    const end = Buffer.concat(this.#parts).subarray(-this.most);
    this.#bytes = end.length;
    return end;
  }
}

const LINE_CHARACTERS = 2000;

/** Lines of a container's log in order, fit for a mail: no control characters, none longer than 2,000 characters. */
export async function readLines(answer: IncomingMessage, tty: boolean, lines: number): Promise<string[]> {
  const all = (await endOf(answer, tty)).split('\n');
  const clean = all.map((line) => printableLines(line).join(' ').slice(0, LINE_CHARACTERS));
  if (clean.at(-1) === '') clean.pop();
  return clean.slice(-lines);
}

async function endOf(answer: IncomingMessage, tty: boolean): Promise<string> {
  const { bytes, ms } = BOUNDS.containerLog;
  const kept = new Capture(bytes);
  const late = setTimeout(() => answer.destroy(timedOut(ms / 1000)), ms);
  try {
    if (tty) for await (const part of answer) kept.take(part as Buffer);
    else await demux(answer, { stdout: (part) => (kept.take(part), true), stderr: (part) => kept.take(part) });
    return kept.toString();
  } finally {
    clearTimeout(late);
  }
}
