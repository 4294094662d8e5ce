import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { EngineDoor } from '../domain/network/engine-door';
import type { ContainerInspect, ContainerSnapshot } from '../domain/engine-inspect';
import { toContainer } from '../domain/to-container';
import type { Engine } from '../ports/engine';
import { nextTurn } from '../lib/concurrency';
import { isOurs } from './artifact-names';
import { inspectAll, lookUpImages } from './inspect-all';

/** Reading 200 containers in one turn would keep a webhook waiting for some 20 ms. */
const IN_ONE_TURN = 25;

/** Every container of the engine as policy sees it, but for those that a running update keeps aside. */
export async function readContainers(engine: Engine, selfId: string | null): Promise<Container[]> {
  const all = await inspectAll(engine);
  const door = doorOf(engine, all, selfId);
  const imageOf = await lookUpImages(engine);
  const containers: Container[] = [];
  for (const [index, snapshot] of all.filter(({ Name }) => !isOurs(Name)).entries()) {
    if (index % IN_ONE_TURN === 0) await nextTurn();
    const image = await imageOf(snapshot.Image);
    if (image !== null) containers.push(toContainer(snapshot, image, selfId, door));
  }
  return containers.sort((a, b) => a.name.localeCompare(b.name));
}

/** One container, as policy sees it. Rejects as `Engine.inspectImage`. */
export async function containerOf(
  { engine, selfId }: Pick<Deps, 'engine' | 'selfId'>,
  inspect: ContainerInspect,
): Promise<Container> {
  return toContainer(inspect, await engine.inspectImage(inspect.Image), selfId);
}

function doorOf({ address }: Engine, all: ContainerSnapshot[], selfId: string | null): EngineDoor | null {
  if (address === null) return null;
  const own = selfId === null ? undefined : all.find(({ Id }) => Id.startsWith(selfId));
  return { ...address, networks: own ? Object.keys(own.NetworkSettings.Networks) : null };
}
