import type { Container } from '../domain/container';
import type { EngineDoor } from '../domain/engine-door';
import type { ContainerSnapshot } from '../domain/engine-inspect';
import { toContainer } from '../domain/to-container';
import type { Engine } from '../ports/engine';
import { isOurs } from './aside-names';
import { inspectAll, lookUpImages } from './inspect-all';

/** Every container of the engine as policy sees it, but for those that a running update keeps aside. */
export async function readContainers(engine: Engine, selfId: string | null): Promise<Container[]> {
  const all = await inspectAll(engine);
  const door = doorOf(engine, all, selfId);
  const imageOf = await lookUpImages(engine);
  const containers = await Promise.all(
    all
      .filter(({ Name }) => !isOurs(Name))
      .map(async (snapshot) => {
        const image = await imageOf(snapshot.Image);
        return image === null ? null : toContainer(snapshot, image, selfId, door);
      }),
  );
  return containers
    .filter((container): container is Container => container !== null)
    .sort((a, b) => a.name.localeCompare(b.name));
}

function doorOf({ address }: Engine, all: ContainerSnapshot[], selfId: string | null): EngineDoor | null {
  if (address === null) return null;
  const own = selfId === null ? undefined : all.find(({ Id }) => Id.startsWith(selfId));
  return { ...address, networks: own ? Object.keys(own.NetworkSettings.Networks) : null };
}
