import { posix } from 'node:path';
import { pipeline, Readable, Transform } from 'node:stream';
import { extract, pack, type Header } from 'tar-stream';
import { BOUNDS } from '../../domain/bounds';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { EngineError, PilotError } from '../../domain/errors';
import { layerCopy, MOST_KEPT_BYTES } from '../../domain/recreate/layer';
import { cleanPath, sourceOf, withVolumesOf } from '../../domain/recreate/own-mounts';
import { fewAtATime } from '../../lib/promises';
import { readWithin } from '../../lib/streams';
import type { Engine } from '../../ports/engine';
import { inspectIfThere } from '../read-containers';

interface File {
  path: string;
  header: Header;
  content: Buffer;
}

/**
 * Copies files from the layer of one container into that of another, which is created but not started, with content, owner
 * and mode, and reads them back. Their time becomes the one at which the other was created, by the clock of the engine: by it
 * they are recognised at the next update (`wasCopiedBeforeStart`). Rejects with `recreate_refused`.
 */
export async function copyLayerFiles(
  engine: Engine,
  from: string,
  to: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return;
  const files = await Promise.all(paths.map((path) => readLayerFile(engine, from, path)));
  const { Created } = await engine.inspectContainer(to);
  await engine.extract(to, '/', tarOf(files, new Date(Created)));
  for (const file of files) {
    const copy = await readLayerFile(engine, to, file.path);
    if (identity(copy) !== identity(file) || !copy.content.equals(file.content)) throw notTheSame(file.path);
  }
}

async function readLayerFile(engine: Engine, id: string, path: string): Promise<File> {
  const tar = await engine.archive(id, path);
  for await (const entry of tar.pipe(extract())) {
    const { header } = entry;
    if (header.type !== 'file' || (header.size ?? 0) > BOUNDS.layerFile.bytes) break;
    return { path, header, content: await readWithin(entry, BOUNDS.layerFile) };
  }
  const reason = `${path} is in the container's own layer, and is not a file of at most 4 MiB that could be copied.`;
  throw new PilotError('recreate_refused', `${reason} Mount it as a volume instead.`);
}

/** In whole seconds, rounded down. */
function tarOf(files: readonly File[], time: Date): Readable {
  const tar = pack();
  const mtime = new Date(Math.floor(time.getTime() / 1000) * 1000);
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
  return new PilotError('recreate_refused', `${reason} Nothing was changed. Mount it as a volume instead.`);
}

const AT_ONCE = 4;

/**
 * Copies files of a container's own layer into another container of the same image: each archive passes from the engine to
 * the engine as it is, with owners, modes, times, links and extended attributes, and is never held in memory. Rejects when
 * a file did not arrive, or when it is more than `MOST_KEPT_BYTES` altogether.
 */
export async function copyWhole(
  engine: Engine,
  from: ContainerInspect,
  to: string,
  files: readonly string[],
): Promise<void> {
  const { folders, roots } = layerCopy(files, await engine.changes(from.Id), from);
  await makeFolders(engine, from.Id, to, folders);
  const limited = atMostBytes(MOST_KEPT_BYTES, filesTooLarge);
  await fewAtATime(roots, AT_ONCE, async (path) =>
    engine.extract(to, posix.dirname(path), limited(await engine.archive(from.Id, path))),
  );
  const arrived = new Set((await engine.changes(to)).map(({ path }) => cleanPath(path)));
  const missing = files.filter((path) => !arrived.has(path));
  await fewAtATime(missing, AT_ONCE, (path) => mustHave(engine, from.Id, to, path));
}

/** With the owner and mode that they have, read from the first entry of their archive. */
async function makeFolders(engine: Engine, from: string, to: string, folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return;
  const tar = pack();
  for (const folder of folders) {
    const { mode, uid, gid, mtime } = await headerOf(engine, from, folder);
    tar.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode, uid, gid, mtime });
  }
  tar.finalize();
  await engine.extract(to, '/', Readable.from(tar, { objectMode: false }));
}

async function headerOf(engine: Engine, id: string, path: string): Promise<Header> {
  const archive = await engine.archive(id, path);
  const entries = extract();
  archive.on('error', (error) => entries.destroy(error));
  try {
    for await (const { header } of archive.pipe(entries)) return header;
  } finally {
    archive.destroy();
  }
  throw new EngineError('engine_refused', `The Docker Engine gave an empty archive of ${path}.`);
}

/** An engine may list no change for a copy that equals the image; sockets and pipes are in no archive. */
async function mustHave(engine: Engine, from: string, to: string, path: string): Promise<void> {
  if ((await engine.stat(to, path)) !== null) return;
  const original = await engine.stat(from, path);
  if (original === null || original.type === 'other') return;
  throw new EngineError('engine_refused', `The copy of ${path} did not arrive.`);
}

function filesTooLarge(): Error {
  return new EngineError('engine_refused', `The files are larger than ${MOST_KEPT_BYTES / 1024 ** 3} GiB altogether.`);
}

/**
 * Passes streams on and counts what passes through all of them together: with more than `most` bytes, the one that passes
 * fails with what `refuse` gives. An error of a source becomes that of the stream passed on.
 */
function atMostBytes(most: number, refuse: () => Error): (source: Readable) => Readable {
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

/** The container as it can be created again: `VolumesFrom` names no container that is gone. */
export async function withPresentVolumes(engine: Engine, container: ContainerInspect): Promise<ContainerInspect> {
  const sources = (container.HostConfig.VolumesFrom ?? []).map(sourceOf);
  const found = await Promise.all(sources.map((source) => inspectIfThere(engine, source)));
  return withVolumesOf(container, new Set(sources.filter((_, index) => found[index] === null)));
}
