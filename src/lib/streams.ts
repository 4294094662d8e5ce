import { type Readable, Transform } from 'node:stream';

const LINE_END = 0x0a;

/** How much of an answer is read into memory, and for how long; null: its caller limits the time. */
export interface Bound {
  bytes: number;
  ms: number | null;
}

/** A stream as Node or tar-stream has them. */
type Content = AsyncIterable<unknown> & { destroy(error?: Error): unknown };

/** An answer that is larger, or takes longer, than it may. The message continues a sentence about it. */
export class BeyondBound extends Error {
  constructor(
    { bytes, ms }: Bound,
    readonly exceeded: 'bytes' | 'ms',
  ) {
    super(exceeded === 'bytes' ? `it is larger than ${inUnits(bytes)}` : `it takes longer than ${(ms ?? 0) / 1000} s`);
  }
}

/**
 * A whole stream, unless it is beyond its bound: then the stream is destroyed and this rejects with `BeyondBound`, or with what
 * `refuse` makes of it. Every answer
 * that comes from outside this process and is kept in memory is read here (`domain/bounds`, held by a test).
 */
export async function readWithin(
  content: Content,
  bound: Bound,
  refuse: (error: BeyondBound) => Error = (error) => error,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const giveUp = (): void => void content.destroy(new BeyondBound(bound, 'ms'));
  const late = bound.ms === null ? undefined : setTimeout(giveUp, bound.ms);
  try {
    for await (const part of content as AsyncIterable<Buffer | string>) {
      const chunk = typeof part === 'string' ? Buffer.from(part) : part;
      bytes += chunk.length;
      if (bytes > bound.bytes) throw new BeyondBound(bound, 'bytes');
      parts.push(chunk);
    }
    return Buffer.concat(parts, bytes);
  } catch (error) {
    throw error instanceof BeyondBound ? refuse(error) : error;
  } finally {
    clearTimeout(late);
    content.destroy();
  }
}

/** Lines of a stream without their ends, each within `longest` bytes; else it is destroyed and this rejects with `BeyondBound`. */
export async function* linesWithin(content: Content, longest: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > longest) throw new BeyondBound({ bytes: longest, ms: null }, 'bytes');
    parts.push(part);
  };
  const line = (): string => {
    const whole = Buffer.concat(parts, bytes).toString();
    [parts, bytes] = [[], 0];
    return whole.replace(/\r$/, '');
  };
  for await (const part of content as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = part.indexOf(LINE_END); end >= 0; end = part.indexOf(LINE_END, from)) {
      take(part.subarray(from, end));
      yield line();
      from = end + 1;
    }
    if (from < part.length) take(part.subarray(from));
  }
  if (bytes > 0) yield line();
}

function inUnits(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 2);
  return `${bytes / 1024 ** power} ${units[power]}`;
}

/**
 * Passes a stream on, and fails when it ends before `length` bytes came: a connection that breaks is not always an
 * error of the stream. `asError` gives the error to fail with; of an end too early it gets none. It ends once `ended` has
 * resolved, so that `asError` may know by then why the source ended.
 */
export function checkedLength(
  source: Readable,
  length: number | undefined,
  asError: (cause: unknown, bytes: number) => Error,
  ended: Promise<unknown> = Promise.resolve(),
): Readable {
  let bytes = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      void ended.then(() => done(length === undefined || bytes === length ? null : asError(undefined, bytes)));
    },
  });
  source.on('error', (error) => checked.destroy(asError(error, bytes)));
  source.on('close', () => {
    if (!source.readableEnded && !checked.destroyed) checked.destroy(asError(undefined, bytes));
  });
  checked.on('close', () => source.destroy());
  return source.pipe(checked);
}

interface Silence {
  /** Milliseconds without a byte. */
  ms: number;
  /** Whether another than the watched end holds the transfer up now: a pg_dump that waits for a lock, a load that builds an index. */
  othersAreSlow: () => boolean;
  silent: () => void;
}

/** Calls `silent` once a transfer has moved no byte for so long. Time in which others are slow does not count. */
export function watchSilence({ ms, othersAreSlow, silent }: Silence): { moved(): void; stop(): void } {
  const timer = setTimeout(() => (othersAreSlow() ? timer.refresh() : silent()), ms);
  return { moved: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}

/** The same for a stream that is piped on, which its reader may pause for as long as it likes. */
export function watchSource(source: Readable, ms: number, silent: () => void): { stop(): void } {
  const silence = watchSilence({ ms, othersAreSlow: () => source.readableFlowing !== true, silent });
  const moved = (): void => silence.moved();
  source.on('data', moved).on('resume', moved);
  return silence;
}

/** Passes a stream on, and calls `silent` once nothing has passed for so long, whichever end is slow. `stop` ends both. */
export function passWatched(source: Readable, ms: number, silent: () => void): { passed: Readable; stop(): void } {
  const silence = watchSilence({ ms, othersAreSlow: () => false, silent });
  const passed = source.pipe(new Transform({ transform: (chunk, _, done) => (silence.moved(), done(null, chunk)) }));
  return { passed, stop: () => (silence.stop(), void passed.destroy()) };
}
