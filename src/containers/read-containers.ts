import type { Container } from '../domain/container';
import { toContainer } from '../domain/to-container';
import type { Engine } from '../ports/engine';
import { isOurs } from './aside-names';
import { inspectAll, lookUpImages } from './inspect-all';

/** Every container of the engine as policy sees it, but for those that a running update keeps aside. */
export async function readContainers(engine: Engine, selfId: string | null): Promise<Container[]> {
  const snapshots = (await inspectAll(engine)).filter(({ Name }) => !isOurs(Name));
  const imageOf = await lookUpImages(engine);
  const containers = await Promise.all(
    snapshots.map(async (snapshot) => {
      const image = await imageOf(snapshot.Image);
      return image === null ? null : toContainer(snapshot, image, selfId);
    }),
  );
  return containers
    .filter((container): container is Container => container !== null)
    .sort((a, b) => a.name.localeCompare(b.name));
}
