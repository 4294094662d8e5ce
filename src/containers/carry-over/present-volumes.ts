import { inspectIfThere } from '../if-there';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { sourceOf, withVolumesOf } from '../../domain/recreate/volumes-from';
import type { Engine } from '../../ports/engine';

/** The container as it can be created again: `VolumesFrom` names no container that is gone. */
export async function withPresentVolumes(engine: Engine, container: ContainerInspect): Promise<ContainerInspect> {
  const sources = (container.HostConfig.VolumesFrom ?? []).map(sourceOf);
  const found = await Promise.all(sources.map((source) => inspectIfThere(engine, source)));
  return withVolumesOf(container, new Set(sources.filter((_, index) => found[index] === null)));
}
