import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { BOUNDS } from '../domain/bounds';
import { PilotError } from '../domain/errors';
import { formatBytes } from '../domain/format';
import { readWithin } from '../lib/streams';
import type { Engine } from '../ports/engine';

/** As the kernel does: more is a circle. */
const MOST_LINKS = 10;

export interface Entry {
  header: Header;
  content: Buffer;
}

/** What may be read, and the error for anything else. */
export interface Limits {
  mostBytes: number;
  refuse: (why: string) => PilotError;
}

/**
 * A file of a container, running or not, through the engine's archive: nothing of the image is run. Symbolic links are
 * followed inside the container. Null: it is not there.
 */
export async function readContainerFile(
  engine: Engine,
  id: string,
  path: string,
  limits: Limits,
): Promise<Buffer | null> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const entry = (await entriesOf(engine, id, at, limits))?.[0];
    if (entry === undefined) return null;
    if (entry.header.type === 'file') return entry.content;
    if (entry.header.type !== 'symlink') break;
    at = posix.resolve(posix.dirname(at), entry.header.linkname ?? '');
  }
  throw limits.refuse(`${path} leads to no file.`);
}

/** Null: it is not there. The engine has no error of its own for that. */
export async function entriesOf(engine: Engine, id: string, path: string, limits: Limits): Promise<Entry[] | null> {
  let tar: Readable;
  try {
    tar = await engine.archive(id, path);
  } catch (error) {
    if (error instanceof PilotError && error.code === 'engine_refused' && /could not find/i.test(error.message))
      return null;
    throw error;
  }
  return readEntries(tar, path, limits);
}

/** Headers and padding of a tar with a few entries. */
const TAR_OVERHEAD = 64 * 1024;

async function readEntries(tar: Readable, path: string, { mostBytes, refuse }: Limits): Promise<Entry[]> {
  const bound = { bytes: mostBytes + TAR_OVERHEAD, ms: BOUNDS.certificateFile.ms };
  const whole = await readWithin(tar, bound, ({ message }) => refuse(`${path} is not read: ${message}.`));
  const entries: Entry[] = [];
  let bytes = 0;
  for await (const entry of Readable.from([whole]).pipe(extract())) {
    bytes += entry.header.size ?? 0;
    if (bytes > mostBytes) throw refuse(`${path} is larger than ${formatBytes(mostBytes)}.`);
    entries.push({ header: entry.header, content: await readWithin(entry, bound) });
  }
  return entries;
}
