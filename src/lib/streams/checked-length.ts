import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';

/**
 * Passes a stream on, and fails when it ends before `length` bytes came: a connection that breaks is not always an
 * error of the stream. `asError` gives the error to fail with; of an end too early it gets none.
 */
export function checkedLength(
  source: Readable,
  length: number | undefined,
  asError: (cause: unknown, bytes: number) => Error,
): Readable {
  let bytes = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      done(length === undefined || bytes === length ? null : asError(undefined, bytes));
    },
  });
  source.on('error', (error) => checked.destroy(asError(error, bytes)));
  source.on('close', () => {
    if (!source.readableEnded && !checked.destroyed) checked.destroy(asError(undefined, bytes));
  });
  checked.on('close', () => source.destroy());
  return source.pipe(checked);
}
