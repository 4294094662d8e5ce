import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';
import type { ContainerInspect, ImageInspect } from '../../domain/engine-inspect';
import type { LayerFiles } from '../../domain/recreate/carry-over';
import {
  isTemporary,
  ownPaths,
  type PathStat,
  wasCopiedBeforeStart,
  wasEditedByStart,
} from '../../domain/recreate/layer';
import { cleanPath } from '../../domain/recreate/own-mounts';
import { platformOf, platformToAsk } from '../../domain/recreate/platform';
import { fewAtATime } from '../../lib/promises';
import type { Engine } from '../../ports/engine';

/** Each is a call of the engine: of a layer with more files, the deepest are not examined and count as lost. */
const EXAMINED = 1000;
const AT_ONCE = 8;

interface Examined {
  path: string;
  stat: PathStat;
}

/**
 * The files in a container's own layer that matter for its replacement. The engine cannot report who wrote a file, so
 * that is decided by its time (domain/recreate/layer).
 */
export async function layerFiles(engine: Engine, container: ContainerInspect): Promise<LayerFiles> {
  const changes = await engine.changes(container.Id);
  const paths = ownPaths(changes, container).sort(keptFirst);
  const examined = await examine(engine, container.Id, paths.slice(0, EXAMINED));
  const isCopied = ({ path, stat }: Examined): boolean => wasCopiedBeforeStart(path, stat, container);
  const kinds = new Map(changes.map(({ path, kind }) => [cleanPath(path), kind]));
  const isEdited = ({ path, stat }: Examined): boolean => wasEditedByStart(kinds.get(path) ?? 'added', stat, container);
  const written = examined.filter((each) => isFile(each) && !isCopied(each) && !isTemporary(each.path));
  const unexamined = paths.slice(EXAMINED).filter((path) => !isTemporary(path));
  return {
    copied: pathsOf(examined.filter(isCopied)),
    lost: [...pathsOf(written.filter((each) => !isEdited(each))), ...unexamined].sort(),
    edited: pathsOf(written.filter(isEdited)),
    bytes: written.reduce((sum, { stat }) => sum + stat.size, 0),
  };
}

async function examine(engine: Engine, id: string, paths: readonly string[]): Promise<Examined[]> {
  const stats = await fewAtATime(paths, AT_ONCE, (path) => engine.stat(id, path));
  return paths.flatMap((path, index) => {
    const stat = stats[index] ?? null;
    return stat === null ? [] : [{ path, stat }];
  });
}

function isFile({ stat }: Examined): boolean {
  return stat.type === 'file' || stat.type === 'symlink';
}

function pathsOf(examined: readonly Examined[]): string[] {
  return examined.map(({ path }) => path).sort();
}

function keptFirst(one: string, other: string): number {
  const rank = (path: string): number => (isTemporary(path) ? 1000 : 0) + path.split('/').length;
  return rank(one) - rank(other);
}

/** Each is two or more calls of the engine: of a layer with more files, the others count as lost. */
const COMPARED = 1000;
const FILES_AT_ONCE = 4;

/**
 * Files of the old container's own layer that would be lost with it: those which its replacement, which runs, lacks or has
 * with other content. So a file that every start writes in the same way is not lost. Sorted.
 */
export async function lostFiles(engine: Engine, old: ContainerInspect, replacementId: string): Promise<string[]> {
  const { lost, edited } = await layerFiles(engine, old);
  const files = [...edited, ...lost];
  const compared = await fewAtATime(files.slice(0, COMPARED), FILES_AT_ONCE, async (path) =>
    (await isSameFile(engine, path, old.Id, replacementId)) ? null : path,
  );
  return [...compared.filter((path) => path !== null), ...files.slice(COMPARED)].sort();
}

async function isSameFile(engine: Engine, path: string, oldId: string, newId: string): Promise<boolean> {
  const [before, after] = [await engine.stat(oldId, path), await engine.stat(newId, path)];
  if (before === null || before.type === 'directory' || before.type === 'other') return true;
  if (after === null || before.type !== after.type || before.size !== after.size) return false;
  return (await contentOf(engine, oldId, path)) === (await contentOf(engine, newId, path));
}

/** A hash of the content of a file, or the target of a link. */
async function contentOf(engine: Engine, id: string, path: string): Promise<string> {
  const archive = await engine.archive(id, path);
  const entries = extract();
  archive.on('error', (error) => entries.destroy(error));
  try {
    for await (const entry of archive.pipe(entries)) {
      const hash = createHash('sha256');
      for await (const chunk of entry) hash.update(chunk as Buffer);
      return `${entry.header.type} ${entry.header.linkname ?? ''} ${hash.digest('hex')}`;
    }
    return '';
  } finally {
    archive.destroy();
  }
}

/** The machine of an engine stays the same, so each is asked once. */
const hosts = new WeakMap<Engine, Awaited<ReturnType<Engine['version']>>>();

async function hostOf(engine: Engine): Promise<Awaited<ReturnType<Engine['version']>>> {
  const host = hosts.get(engine) ?? (await engine.version());
  hosts.set(engine, host);
  return host;
}

/** The platform of a container, to be requested by name where the engine would select another. */
export async function askedPlatform(
  engine: Engine,
  container: ContainerInspect,
  image: ImageInspect,
): Promise<{ platform: string | undefined }> {
  return { platform: platformToAsk(platformOf(container, image), await hostOf(engine)) };
}
