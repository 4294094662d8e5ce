import type { ContainerInspect, ContainerSnapshot, ImageInspect } from '../domain/engine-inspect';
import { codeOf } from '../domain/errors';
import { fewAtATime } from '../lib/concurrency';
import type { Engine, ListedContainer, ListedImage } from '../ports/engine';
import { imageIfReadable, inspectIfReadable } from './unreadable';

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
export async function lookUpImages(engine: Engine): Promise<(id: string) => Promise<ImageInspect | null>> {
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
