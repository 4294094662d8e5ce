import { PassThrough, Transform, type TransformCallback } from 'node:stream';
import type { Along, Finding } from './item-source';

/** Hands a copy of all that passes to `read`, which reads it to its end. One that fails early does not stop the flow. */
export function readAlong(read: (content: AsyncIterable<Buffer>) => Promise<Finding>): Along {
  const through = new Tee();
  const finding = read(through.copy);
  const over = (): void => through.readerIsGone();
  finding.then(over, over);
  return { through, finding: () => finding };
}

class Tee extends Transform {
  readonly copy = new PassThrough();
  #isRead = true;
  #waiting: (() => void) | null = null;

  constructor() {
    super();
    this.copy.on('drain', () => this.#proceed());
    // It fails only with this stream, whose own error is reported.
    this.copy.on('error', () => undefined);
  }

  readerIsGone(): void {
    this.#isRead = false;
    this.#proceed();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#isRead || this.copy.write(chunk)) done(null, chunk);
    else this.#waiting = () => done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.copy.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Cut short: who reads the copy must not take it for the whole.
    if (!this.copy.writableEnded) this.copy.destroy(error ?? new Error('the reading was given up'));
    done(error);
  }

  #proceed(): void {
    const then = this.#waiting;
    this.#waiting = null;
    then?.();
  }
}
