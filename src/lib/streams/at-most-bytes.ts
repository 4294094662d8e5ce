import { pipeline, Transform } from 'node:stream';
import type { Readable } from 'node:stream';

/**
 * Passes streams on and counts what passes through all of them together: with more than `most` bytes, the one that passes
 * fails with what `refuse` gives. An error of a source becomes that of the stream passed on.
 */
export function atMostBytes(most: number, refuse: () => Error): (source: Readable) => Readable {
  let bytes = 0;
  return (source) => {
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes > most) done(refuse());
        else done(null, chunk);
      },
    });
    // The error is that of `counted`, which its reader hears.
    pipeline(source, counted, () => undefined);
    return counted;
  };
}
