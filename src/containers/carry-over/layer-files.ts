import type { ContainerInspect } from '../../domain/engine-inspect';
import type { LayerFiles } from '../../domain/recreate/carry-over';
import { isTemporary, ownPaths, wasCopiedBeforeStart } from '../../domain/recreate/layer';
import { fewAtATime } from '../../lib/few-at-a-time';
import type { Engine } from '../../ports/engine';

/** Each is a call of the engine: of a layer with more files, the deepest are not examined and count as lost. */
const EXAMINED = 1000;
const AT_ONCE = 8;

/**
 * The files in a container's own layer that matter for its replacement. The engine cannot report who wrote a file, so
 * that is decided by its time (domain/recreate/layer).
 */
export async function layerFiles(engine: Engine, container: ContainerInspect): Promise<LayerFiles> {
  const paths = ownPaths(await engine.changes(container.Id), container).sort(keptFirst);
  const examined = await fewAtATime(paths.slice(0, EXAMINED), AT_ONCE, async (path) => ({
    path,
    stat: await engine.stat(container.Id, path),
  }));
  const copied = examined.filter(({ stat }) => stat !== null && wasCopiedBeforeStart(stat, container));
  const isFile = examined.filter(({ stat }) => stat !== null && stat.type !== 'directory');
  const written = [
    ...isFile.filter((each) => !copied.includes(each)).map(({ path }) => path),
    ...paths.slice(EXAMINED),
  ];
  return {
    copied: copied.map(({ path }) => path).sort(),
    lost: written.filter((path) => !isTemporary(path)).sort(),
  };
}

function keptFirst(one: string, other: string): number {
  const rank = (path: string): number => (isTemporary(path) ? 1000 : 0) + path.split('/').length;
  return rank(one) - rank(other);
}
