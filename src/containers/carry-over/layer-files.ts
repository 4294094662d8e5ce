import type { ContainerInspect } from '../../domain/engine-inspect';
import type { LayerFiles } from '../../domain/recreate/carry-over';
import {
  isTemporary,
  ownPaths,
  wasCopiedBeforeStart,
  wasEditedByStart,
  type LayerChange,
  type PathStat,
} from '../../domain/recreate/layer';
import { cleanPath } from '../../domain/recreate/own-mounts';
import { fewAtATime } from '../../lib/concurrency';
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
  const isCopied = ({ stat }: Examined): boolean => wasCopiedBeforeStart(stat, container);
  const kinds = kindsOf(changes);
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

function kindsOf(changes: readonly LayerChange[]): Map<string, LayerChange['kind']> {
  return new Map(changes.map(({ path, kind }) => [cleanPath(path), kind]));
}

function pathsOf(examined: readonly Examined[]): string[] {
  return examined.map(({ path }) => path).sort();
}

function keptFirst(one: string, other: string): number {
  const rank = (path: string): number => (isTemporary(path) ? 1000 : 0) + path.split('/').length;
  return rank(one) - rank(other);
}
