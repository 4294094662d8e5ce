/** Keeps the end of an output, at most 64 KiB of it: errors are told last. */
export class Capture {
  static readonly BYTES = 64 * 1024;
  #parts: Buffer[] = [];
  #bytes = 0;

  take(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
    this.#bytes += part.length;
    if (this.#bytes > 4 * Capture.BYTES) this.#parts = [this.#end()];
  }

  toString(): string {
    return this.#end().toString();
  }

  #end(): Buffer {
    const end = Buffer.concat(this.#parts).subarray(-Capture.BYTES);
    this.#bytes = end.length;
    return end;
  }
}
