import { posix } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { EngineError } from '../../../domain/errors';

const BLOCK = 512;
const LONGEST_FIELD = 100;
/** Of one extended header: names, times and attributes. */
const MOST_RECORDS = 1024 * 1024;
const [NAME, SIZE, CHECKSUM, TYPE, LINK, PREFIX] = [0, 124, 148, 156, 157, 345] as const;

/**
 * Podman names what is in a mount from the root (`/`, `/a`), where Docker names it by the last part of the path (`data`, `data/a`). Gives
 * the tar of `path` in Docker's form, byte for byte but for names: names, attributes and contents need not be UTF-8. A tar
 * in this form already passes unchanged.
 */
export class MountArchive extends Transform {
  readonly #base: string;
  #held = Buffer.alloc(0);
  /** Of the content of an entry that passes on. */
  #passing = 0;
  /** An extended header, and its records; null: the next entry has none. */
  #extended: { whole: Buffer; records: [name: string, value: string][] } | null = null;
  #isRooted: boolean | null = null;

  constructor(path: string) {
    super({ highWaterMark: 1024 * 1024 });
    this.#base = posix.basename(path);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#take(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    this.push(this.#held);
    done();
  }

  #take(chunk: Buffer): void {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (rest.length > 0) {
      const taken = this.#isRooted === false ? this.#pass(rest, rest.length) : this.#next(rest);
      if (taken === 0) break;
      rest = rest.subarray(taken);
    }
    this.#held = Buffer.from(rest);
  }

  /** Answers how much of it is done with; 0: more is needed. */
  #next(rest: Buffer): number {
    if (this.#passing > 0) {
      const length = Math.min(this.#passing, rest.length);
      this.#passing -= length;
      return this.#pass(rest, length);
    }
    if (rest.length < BLOCK) return 0;
    const block = rest.subarray(0, BLOCK);
    if (block[0] === 0 && block[TYPE] === 0) return this.#pass(rest, BLOCK);
    const type = String.fromCharCode(block[TYPE] ?? 0);
    if (type === 'x') return this.#takeRecords(rest);
    if (type === 'L' || type === 'K') throw archiveUnreadable('it has names in the form of GNU tar');
    if (type !== 'g') this.#rename(block, type);
    else this.push(block);
    // A link has no content, whatever its size says.
    this.#passing = '123456'.includes(type) ? 0 : padded(sizeOf(block));
    return BLOCK;
  }

  #pass(rest: Buffer, length: number): number {
    this.push(rest.subarray(0, length));
    return length;
  }

  #takeRecords(rest: Buffer): number {
    const size = sizeOf(rest);
    if (size > MOST_RECORDS) throw archiveUnreadable('an extended header of it is too long');
    const end = BLOCK + padded(size);
    if (rest.length < end) return 0;
    const records = recordsIn(rest.toString('latin1', BLOCK, BLOCK + size));
    this.#extended = { whole: rest.subarray(0, end), records };
    return end;
  }

  #rename(block: Buffer, type: string): void {
    const given = this.#extended;
    this.#extended = null;
    const value = (record: string): string | undefined => given?.records.find(([name]) => name === record)?.[1];
    const name = value('path') ?? nameOfEntry(block);
    this.#isRooted ??= name === '/' && this.#base !== '';
    if (!this.#isRooted) {
      if (given !== null) this.push(given.whole);
      this.push(block);
      return;
    }
    const header = Buffer.from(block);
    const kept = (given?.records ?? []).filter(
      ([record]) => record !== 'path' && !(type === '1' && record === 'linkpath'),
    );
    const records = [...kept, ...setName(header, this.#named(name))];
    if (type === '1') {
      const target = this.#named(value('linkpath') ?? text(block, LINK, LONGEST_FIELD));
      setField(header, LINK, target);
      records.push(...longRecord('linkpath', target));
    }
    if (records.length > 0) this.push(extendedHeader(given?.whole.subarray(0, BLOCK) ?? header, records));
    this.push(withChecksum(header));
  }

  /** `/a` → `data/a`. */
  #named(name: string): string {
    return `${this.#base}${name.startsWith('/') ? name : `/${name}`}`;
  }
}

/** Answers the record that a long name needs. */
function setName(header: Buffer, name: string): [string, string][] {
  setField(header, NAME, name);
  header.fill(0, PREFIX, PREFIX + 155);
  return longRecord('path', name);
}

function longRecord(record: string, value: string): [string, string][] {
  return value.length > LONGEST_FIELD ? [[record, value]] : [];
}

function setField(header: Buffer, at: number, value: string): void {
  header.fill(0, at, at + LONGEST_FIELD);
  header.write(value.slice(0, LONGEST_FIELD), at, 'latin1');
}

function nameOfEntry(block: Buffer): string {
  const prefix = text(block, PREFIX, 155);
  const name = text(block, NAME, LONGEST_FIELD);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.subarray(at, at + length).indexOf(0);
  return block.toString('latin1', at, end < 0 ? at + length : at + end);
}

/** Octal, or from 8 GiB on as a number of its own (the first bit is set). */
function sizeOf(block: Buffer): number {
  if (((block[SIZE] ?? 0) & 0x80) !== 0) return Number(block.readBigUInt64BE(SIZE + 4));
  const size = Number.parseInt(text(block, SIZE, 12).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0) throw archiveUnreadable('it is damaged');
  return size;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** `LENGTH NAME=VALUE\n`, again and again; a value may have any byte. */
function recordsIn(body: string): [string, string][] {
  const records: [string, string][] = [];
  for (let at = 0; at < body.length;) {
    const length = Number(/^\d{1,7}(?= )/.exec(body.slice(at, at + 8))?.[0] ?? 0);
    const record = body.slice(body.indexOf(' ', at) + 1, at + length - 1);
    if (length === 0 || at + length > body.length || !record.includes('=')) throw archiveUnreadable('it is damaged');
    records.push([record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)]);
    at += length;
  }
  return records;
}

function extendedHeader(like: Buffer, records: readonly [string, string][]): Buffer {
  const body = Buffer.from(records.map(([name, value]) => recordText(`${name}=${value}`)).join(''), 'latin1');
  const header = Buffer.from(like);
  header.write('x', TYPE, 'latin1');
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, SIZE, 'latin1');
  return Buffer.concat([withChecksum(header), body, Buffer.alloc(padded(body.length) - body.length)]);
}

/** The length counts its own digits. */
function recordText(record: string): string {
  const rest = record.length + 2;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${record}\n`;
}

function withChecksum(header: Buffer): Buffer {
  header.fill(' ', CHECKSUM, CHECKSUM + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM, 'latin1');
  return header;
}

function archiveUnreadable(why: string): EngineError {
  return new EngineError('engine_refused', `The archive that Podman gave cannot be read: ${why}.`);
}
