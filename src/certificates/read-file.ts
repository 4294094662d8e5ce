import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';
import { PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';

/** As the kernel does: more is a circle. */
const MOST_LINKS = 10;
const LARGEST_BYTES = 1024 * 1024;

interface Entry {
  header: Header;
  content: Buffer;
}

/**
 * A file of a container, running or not, through the engine's archive; symbolic links are followed inside the container,
 * as certbot's `live/` leads to its `archive/`. Null: it is not there. Rejects with `certificate_unreadable` for what is
 * no file of a certificate's size.
 */
export async function readFile(engine: Engine, id: string, path: string): Promise<Buffer | null> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const entry = (await entriesOf(engine, id, at))?.[0];
    if (entry === undefined) return null;
    if (entry.header.type === 'file') return entry.content;
    if (entry.header.type !== 'symlink') break;
    at = posix.resolve(posix.dirname(at), entry.header.linkname ?? '');
  }
  throw new PilotError('certificate_unreadable', `${path} leads to no file.`);
}

/** Names of the folders directly inside a folder of a container; none when it is not there. */
export async function foldersIn(engine: Engine, id: string, folder: string): Promise<string[]> {
  const entries = (await entriesOf(engine, id, folder)) ?? [];
  const names = entries.flatMap(({ header: { name } }) => /^[^/]+\/([^/]+)\/./.exec(name)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Null: it is not there. The engine has no error of its own for that. */
async function entriesOf(engine: Engine, id: string, path: string): Promise<Entry[] | null> {
  let tar: Readable;
  try {
    tar = await engine.archive(id, path);
  } catch (error) {
    if (error instanceof PilotError && error.code === 'engine_refused' && /could not find/i.test(error.message))
      return null;
    throw error;
  }
  return readEntries(tar, path);
}

async function readEntries(tar: Readable, path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const walker = extract();
  tar.on('error', (error) => walker.destroy(error));
  tar.pipe(walker);
  let bytes = 0;
  try {
    for await (const entry of walker) {
      bytes += entry.header.size ?? 0;
      if (bytes > LARGEST_BYTES)
        throw new PilotError('certificate_unreadable', `${path} is larger than any certificate.`);
      entries.push({ header: entry.header, content: await buffer(entry) });
    }
  } finally {
    tar.destroy();
  }
  return entries;
}
