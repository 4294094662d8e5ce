import { Transform, type TransformCallback } from 'node:stream';
import { isRestoreArtifact } from '../../domain/backups/restore-artifact-names';

const BLOCK = 512;
/** An extended header that names a path is a few kilobytes at most; a larger one is passed on unread. */
const MOST_EXTENDED = 64 * 1024;

/**
 * Omits from a tar the data that a restore retains next to the current data; every other byte passes unchanged. Works on
 * the blocks themselves (POSIX pax, ustar, GNU long names), so that no header is rewritten.
 */
export class ExcludeRestoreArtifacts extends Transform {
  #pending: Buffer = Buffer.alloc(0);
  /** Extended headers that belong to the next entry, held until its name is known. */
  #held: Buffer[] = [];
  #heldPath: string | null = null;
  /** Of a file from 8 GiB on, whose own header says 0 (pax). */
  #heldSize: number | null = null;
  #content: { left: number; keep: boolean } | null = null;
  #ended = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#step());
    done();
  }

  override _flush(done: TransformCallback): void {
    for (const part of this.#held) this.push(part);
    if (this.#pending.length > 0) this.push(this.#pending);
    done();
  }

  /** True while there is something to do with what has come. */
  #step(): boolean {
    if (this.#pending.length === 0) return false;
    if (this.#ended) return this.#pass(this.#pending.length, true);
    if (this.#content !== null) return this.#passContent(this.#content);
    return this.#pending.length >= BLOCK && this.#readHeader();
  }

  #pass(bytes: number, keep: boolean): true {
    if (keep) this.push(this.#pending.subarray(0, bytes));
    this.#pending = this.#pending.subarray(bytes);
    return true;
  }

  #passContent(content: { left: number; keep: boolean }): boolean {
    const bytes = Math.min(content.left, this.#pending.length);
    content.left -= bytes;
    if (content.left === 0) this.#content = null;
    return this.#pass(bytes, content.keep);
  }

  #readHeader(): boolean {
    const header = this.#pending.subarray(0, BLOCK);
    const size = Math.ceil((this.#heldSize ?? sizeOf(header)) / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156] ?? 0);
    if (header.every((byte) => byte === 0)) {
      this.#ended = true;
      return true;
    }
    if ('xL'.includes(type) && size <= MOST_EXTENDED) return this.#hold(type, size);
    const keep = !isOfAside(this.#heldPath ?? entryName(header));
    if (keep) for (const part of this.#held) this.push(part);
    this.#held = [];
    this.#heldPath = null;
    this.#heldSize = null;
    if (size > 0) this.#content = { left: size, keep };
    return this.#pass(BLOCK, keep);
  }

  #hold(type: string, size: number): boolean {
    const whole = BLOCK + size;
    if (this.#pending.length < whole) return false;
    const part = this.#pending.subarray(0, whole);
    this.#held.push(part);
    const content = part.subarray(BLOCK, BLOCK + sizeOf(part));
    this.#heldPath = pathOf(type, content) ?? this.#heldPath;
    if (type === 'x') this.#heldSize = paxSizeOf(content) ?? this.#heldSize;
    this.#pending = this.#pending.subarray(whole);
    return true;
  }
}

function isOfAside(path: string): boolean {
  return path.split('/').some(isRestoreArtifact);
}

function pathOf(type: string, content: Buffer): string | null {
  if (type === 'L') return text(content);
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString('utf8'))?.[1] ?? null;
}

function paxSizeOf(content: Buffer): number | null {
  const size = /(?:^|\n)\d+ size=(\d+)\n/.exec(content.toString('latin1'))?.[1];
  return size === undefined ? null : Number(size);
}

/** `prefix/name` of ustar; GNU's has none. */
function entryName(header: Buffer): string {
  const prefix = header.subarray(257, 263).toString('latin1') === 'ustar\0' ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal, or with the first bit set a big-endian number. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  return parseInt(text(field).trim(), 8) || 0;
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? field.length : end).toString('utf8');
}
