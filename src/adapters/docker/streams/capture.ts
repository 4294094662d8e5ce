import { BOUNDS } from '../../../domain/bounds';

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
