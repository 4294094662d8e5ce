import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { ContainerInspect, ContainerSnapshot, ImageInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { EngineDoor } from '../domain/network/engine-door';
import { toContainer } from '../domain/to-container';
import { fewAtATime, nextTurn } from '../lib/promises';
import type { Engine, ListedContainer, ListedImage } from '../ports/engine';
import { isOurs } from './artifact-names';
import { shortId } from '../domain/format';

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

const AT_ONCE = 10;

type Known<T> = Map<string, Promise<T | null>>;

/** What no later inspect can say otherwise, by the id that it belongs to, for as long as the engine lists that id. */
const known = new WeakMap<Engine, { containers: Known<ContainerInspect>; images: Known<ImageInspect> }>();

/**
 * Every container of the engine in one call: what may change comes from the list, the rest from an inspect that is made once
 * in the life of a container. Who acts on its state, or needs more of it (health, times, restarts), inspects it itself.
 */
export async function inspectAll(engine: Engine): Promise<ContainerSnapshot[]> {
  const listed = await engine.containers();
  const { containers } = knownOf(engine);
  forgetOthers(containers, listed);
  const found = await fewAtATime(listed, AT_ONCE, async (line) => {
    const inspect = await once(containers, line.id, () => inspectIfReadable(engine, line.id));
    return inspect && asListed(inspect, line);
  });
  return found.filter((snapshot) => snapshot !== null);
}

/** Looks images up by id, with the names that they have now: one call for all, and an inspect once for each. */
async function lookUpImages(engine: Engine): Promise<(id: string) => Promise<ImageInspect | null>> {
  const listed = await namesOfImages(engine);
  const { images } = knownOf(engine);
  forgetOthers(images, listed);
  const lines = new Map(listed.map((line) => [line.id, line]));
  // An image on which another is built and that has no name is not listed.
  const unlisted: Known<ImageInspect> = new Map();
  return async (id) => {
    const line = lines.get(id);
    const image = await once(line ? images : unlisted, id, () => imageIfReadable(engine, id));
    return image && line ? { ...image, RepoTags: line.repoTags, RepoDigests: line.repoDigests } : image;
  };
}

/** A proxy of the socket may not pass this call on: then each image is inspected each time. */
async function namesOfImages(engine: Engine): Promise<ListedImage[]> {
  try {
    return await engine.images();
  } catch (error) {
    if (codeOf(error) === 'engine_refused') return [];
    throw error;
  }
}

function asListed(inspect: ContainerInspect, { name, running, status, networks }: ListedContainer): ContainerSnapshot {
  return {
    ...inspect,
    Name: name === null ? inspect.Name : `/${name}`,
    State: { Running: running, Status: status },
    NetworkSettings: { Networks: networks },
  };
}

function knownOf(engine: Engine): { containers: Known<ContainerInspect>; images: Known<ImageInspect> } {
  const found = known.get(engine) ?? { containers: new Map(), images: new Map() };
  known.set(engine, found);
  return found;
}

function forgetOthers<T>(from: Known<T>, listed: readonly { id: string }[]): void {
  const ids = new Set(listed.map(({ id }) => id));
  for (const id of from.keys()) if (!ids.has(id)) from.delete(id);
}

/** What is not there, or could not be asked, is asked again the next time. */
async function once<T>(answers: Known<T>, id: string, ask: () => Promise<T | null>): Promise<T | null> {
  const answer = answers.get(id) ?? ask();
  answers.set(id, answer);
  const forget = (): void => void (answers.get(id) === answer && answers.delete(id));
  answer.then((found) => found ?? forget(), forget);
  return answer;
}

/** Null: a container may be removed externally between the list and its inspection. */
export async function inspectIfThere(engine: Engine, id: string): Promise<ContainerInspect | null> {
  try {
    return await engine.inspectContainer(id);
  } catch (error) {
    if (codeOf(error) === 'container_not_found') return null;
    throw error;
  }
}

/** By its very name: the engine also finds containers by the first letters of an id, which is not what is meant here. */
export async function inspectByName(engine: Engine, name: string): Promise<ContainerInspect | null> {
  const found = name === '' ? null : await inspectIfThere(engine, name);
  return found?.Name === `/${name}` ? found : null;
}

export async function imageIfThere(engine: Engine, id: string): Promise<ImageInspect | null> {
  try {
    return await engine.inspectImage(id);
  } catch (error) {
    if (codeOf(error) === 'image_not_found') return null;
    throw error;
  }
}

/**
 * As `inspectIfThere`; null also for a container that the engine lists but cannot describe, such as one in state `dead`
 * without its layer. One such container must not stop the work on all others: `reportUnreadable` reports it.
 */
export function inspectIfReadable(engine: Engine, id: string): Promise<ContainerInspect | null> {
  return unlessRefused(inspectIfThere(engine, id));
}

/** As `imageIfThere`, and null for an image that the engine cannot describe. */
export function imageIfReadable(engine: Engine, id: string): Promise<ImageInspect | null> {
  return unlessRefused(imageIfThere(engine, id));
}

async function unlessRefused<T>(asked: Promise<T | null>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (codeOf(error) === 'engine_refused') return null;
    throw error;
  }
}

/** Opens a notice, and writes to the log, once for each container or image that the engine cannot describe. */
export async function reportUnreadable({
  engine,
  store,
  logger,
}: Pick<Deps, 'engine' | 'logger' | 'store'>): Promise<void> {
  const found = new Map<string, string>();
  const look = async <T>(subject: string, asked: Promise<T | null>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      if (codeOf(error) !== 'engine_refused') throw error;
      found.set(subject, messageOf(error));
      return null;
    }
  };
  for (const { id, name } of await engine.containers()) {
    const subject = name ?? shortId(id);
    const container = await look(`container ${subject}`, inspectIfThere(engine, id));
    if (container !== null) await look(`the image of ${subject}`, imageIfThere(engine, container.Image));
  }
  for (const { kind, subject } of store.notices.all())
    if (kind === 'unreadable' && !found.has(subject)) store.notices.close('unreadable', subject);
  for (const [subject, reason] of found) {
    const words = `the engine cannot describe ${subject}, which is skipped: remove it with docker rm -f, or restart Docker`;
    if (store.notices.open('unreadable', subject, words)) logger.error('an object is skipped', { subject, reason });
  }
}
