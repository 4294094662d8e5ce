import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract, pack, type Header } from 'tar-stream';
import { EngineError } from '../../src/domain/errors';
import type { LayerChange, PathStat } from '../../src/domain/recreate/layer';
import type { FakeContainer, FakeFiles, FileMeta } from './fake-engine-types';

/** Volumes and bound folders by name, each a map of relative path to content; a folder's path ends with a slash. */
export type Volumes = Map<string, Map<string, Buffer>>;

/** A container's view of its files: what is mounted hides what is in the image. */
export function filesOf(container: FakeContainer, volumes: Volumes, now: () => number): FakeFiles {
  const at = (path: string): { store: Map<string, Buffer>; key: string } => {
    const clean = posix.resolve('/', path);
    const mounts = container.inspect.Mounts.filter((mount) => isBelow(clean, mount.Destination));
    const mount = mounts.sort((a, b) => b.Destination.length - a.Destination.length)[0];
    if (!mount) return { store: container.own, key: clean };
    const name = mount.Name ?? mount.Source;
    if (!volumes.has(name)) volumes.set(name, new Map());
    return { store: volumes.get(name)!, key: clean.slice(mount.Destination.length) || '/' };
  };
  const everyPath = (): string[] => [
    ...container.own.keys(),
    ...container.inspect.Mounts.flatMap((mount) =>
      [...(volumes.get(mount.Name ?? mount.Source)?.keys() ?? [])].map((key) => posix.join(mount.Destination, key)),
    ),
  ];
  const below = (folder: string): string[] =>
    [...new Set(everyPath())].filter((path) => isBelow(path, posix.resolve('/', folder))).sort();
  return {
    read: (path) => at(path).store.get(at(path).key),
    write: (path, content) => {
      const { store, key } = at(path);
      store.set(key, Buffer.from(content));
      if (store === container.own)
        container.meta.set(key, { mode: 0o644, uid: 0, gid: 0, modifiedAt: exactTime(now()) });
    },
    meta: (path) => (at(path).store === container.own ? container.meta.get(at(path).key) : undefined),
    setMeta: (path, meta) => void (at(path).store === container.own && container.meta.set(at(path).key, meta)),
    list: (folder) => below(folder).filter((path) => !path.endsWith('/')),
    folders: (folder) => foldersOf(posix.resolve('/', folder), below(folder)),
    addFolder: (path) => void at(path).store.set(`${at(path).key}/`, Buffer.alloc(0)),
    clear: (folder) => {
      for (const path of below(folder)) {
        const { store, key } = at(path);
        store.delete(path.endsWith('/') ? `${key}/` : key);
      }
    },
  };
}

/** A process never writes at a whole second. */
function exactTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '417Z');
}

/** What differs from the image, with the folders on the way, as the engine lists it. */
export function changesOf({ own, image }: FakeContainer): LayerChange[] {
  const before = new Map(Object.entries(image.spec.files ?? {}));
  const written = [...own].filter(([path, content]) => before.get(path) !== content.toString());
  const files = written.map(([path]): LayerChange => ({
    path: path.replace(/(.)\/$/, '$1'),
    kind: before.has(path) ? 'modified' : 'added',
  }));
  const folders = foldersOf(
    '/',
    written.map(([path]) => path),
  ).filter((path) => !own.has(`${path}/`));
  const inImage = new Set(foldersOf('/', [...before.keys()]));
  const kindOf = (path: string): LayerChange['kind'] => (inImage.has(path) ? 'modified' : 'added');
  return [...folders.map((path): LayerChange => ({ path, kind: kindOf(path) })), ...files];
}

export function statOf(files: FakeFiles, path: string): PathStat | null {
  const content = files.read(path);
  if (content === undefined) {
    const isFolder = files.folders('/').includes(path);
    return isFolder ? { type: 'directory', size: 4096, mode: 0o755, modifiedAt: '2026-01-01T00:00:00.5Z' } : null;
  }
  const { mode, modifiedAt } = files.meta(path) ?? { mode: 0o644, modifiedAt: '2026-01-01T00:00:00Z' };
  return { type: 'file', size: content.length, mode, modifiedAt };
}

/** Those that are known by themselves, and those that lead to a file. */
function foldersOf(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    let folder = path.endsWith('/') ? path.slice(0, -1) : posix.dirname(path);
    for (; isBelow(folder, root) && folder !== '/'; folder = posix.dirname(folder)) found.add(folder);
  }
  return [...found].sort();
}

/** A tar as the engine makes it: names start with the last part of the path, folders are entries of their own. */
export function tarOf(files: FakeFiles, path: string): Readable {
  const clean = posix.resolve('/', path);
  const named = (name: string): string => posix.join(posix.basename(clean), name.slice(clean.length));
  const found = files.list(clean);
  const folders = files.folders(clean);
  if (found.length + folders.length === 0) {
    throw new EngineError('engine_refused', `Could not find the file ${path} in the container`);
  }
  const tar = pack();
  for (const folder of folders) tar.entry({ name: `${named(folder)}/`, type: 'directory' });
  for (const name of found) {
    const { mode = 0o644, uid = 0, gid = 0, modifiedAt = null } = files.meta(name) ?? {};
    const mtime = modifiedAt === null ? undefined : new Date(Math.floor(Date.parse(modifiedAt) / 1000) * 1000);
    tar.entry({ name: named(name), mode, uid, gid, ...(mtime && { mtime }) }, files.read(name) ?? Buffer.alloc(0));
  }
  tar.finalize();
  return Readable.from(inPieces(tar), { objectMode: false });
}

/** Read whole first: a reader that gives up in the middle would leave tar-stream with an error that nobody can hear. */
async function* inPieces(tar: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  const whole = await buffer(tar as AsyncIterable<Buffer>);
  for (let at = 0; at < whole.length; at += 65_536) yield whole.subarray(at, at + 65_536);
}

export async function untarInto(files: FakeFiles, folder: string, tar: Readable): Promise<void> {
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error));
  tar.pipe(entries);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const path = posix.join(folder, entry.header.name);
    if (entry.header.type === 'file') {
      files.write(path, Buffer.concat(chunks));
      files.setMeta(path, metaOf(entry.header));
    }
    if (entry.header.type === 'directory') files.addFolder(path);
  }
}

function metaOf({ mode = 0o644, uid = 0, gid = 0, mtime = new Date(0) }: Header): FileMeta {
  return { mode, uid, gid, modifiedAt: mtime.toISOString().replace(/\.\d+Z$/, 'Z') };
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
