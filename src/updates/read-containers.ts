import type { Container } from '../domain/container';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { codeOf } from '../domain/errors';
import { toContainer } from '../domain/to-container';
import type { Engine } from '../ports/engine';
import { isOurs } from './names';

/** Every container of the engine as policy sees it, but for those that a running update keeps aside. */
export async function readContainers(engine: Engine, selfId: string | null): Promise<Container[]> {
  const inspects = await Promise.all((await engine.containerIds()).map((id) => inspectIfThere(engine, id)));
  const images = new Map<string, Promise<ImageInspect | null>>();
  const imageOf = (id: string): Promise<ImageInspect | null> => {
    if (!images.has(id)) images.set(id, imageIfThere(engine, id));
    return images.get(id) as Promise<ImageInspect | null>;
  };
  const containers = await Promise.all(
    inspects
      .filter((inspect): inspect is ContainerInspect => inspect !== null && !isOurs(inspect.Name))
      .map(async (inspect) => {
        const image = await imageOf(inspect.Image);
        return image === null ? null : toContainer(inspect, image, selfId);
      }),
  );
  return containers
    .filter((container): container is Container => container !== null)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Null: a container may be removed between the list and the look at it, by whoever else works on this engine. */
export async function inspectIfThere(engine: Engine, id: string): Promise<ContainerInspect | null> {
  try {
    return await engine.inspectContainer(id);
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return null;
    throw error;
  }
}

export async function imageIfThere(engine: Engine, id: string): Promise<ImageInspect | null> {
  try {
    return await engine.inspectImage(id);
  } catch (error) {
    if (codeOf(error) === 'image_not_found') return null;
    throw error;
  }
}
