import type { Container } from '../domain/container';
import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { toContainer } from '../domain/to-container';
import type { Engine } from '../ports/engine';
import { isOurs } from './aside-names';
import { imageIfThere, inspectIfThere } from './if-there';

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
