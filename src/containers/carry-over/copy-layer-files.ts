import { Readable } from 'node:stream';
import { extract, pack, type Header } from 'tar-stream';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import { readWithin } from '../../lib/streams/read-within';
import type { Engine } from '../../ports/engine';

interface File {
  path: string;
  header: Header;
  content: Buffer;
}

/**
 * Copies files from the layer of one container into that of another, which is created but not started, with content, owner
 * and mode, and reads them back. Their time becomes that of the copy, as when Compose writes them: by it they are recognised
 * at the next update. Rejects with `recreate_refused`.
 */
export async function copyLayerFiles(
  { engine, clock }: { engine: Engine; clock: Clock },
  from: string,
  to: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return;
  const files = await Promise.all(paths.map((path) => readFile(engine, from, path)));
  await engine.extract(to, '/', tarOf(files, clock.now()));
  for (const file of files) {
    const copy = await readFile(engine, to, file.path);
    if (identity(copy) !== identity(file) || !copy.content.equals(file.content)) throw notTheSame(file.path);
  }
}

async function readFile(engine: Engine, id: string, path: string): Promise<File> {
  const tar = await engine.archive(id, path);
  for await (const entry of tar.pipe(extract())) {
    const { header } = entry;
    if (header.type !== 'file' || (header.size ?? 0) > BOUNDS.layerFile.bytes) break;
    return { path, header, content: await readWithin(entry, BOUNDS.layerFile) };
  }
  const reason = `${path} is in the container's own layer, and is not a file of at most 4 MiB that could be copied.`;
  throw new PilotError('recreate_refused', `${reason} Mount it as a volume instead.`);
}

function tarOf(files: readonly File[], now: Date): Readable {
  const tar = pack();
  const mtime = new Date(Math.floor(now.getTime() / 1000) * 1000);
  for (const { path, header, content } of files) {
    const { mode, uid, gid } = header;
    tar.entry({ name: path.slice(1), type: 'file', mode, uid, gid, mtime }, content);
  }
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}

function identity({ header: { mode, uid, gid } }: File): string {
  return `${(mode ?? 0) & 0o7777} ${uid} ${gid}`;
}

function notTheSame(path: string): PilotError {
  const reason = `The copy of ${path} in the new container differs from the original in content, owner or mode.`;
  return new PilotError('recreate_refused', `${reason} Nothing was stopped. Mount it as a volume instead.`);
}
