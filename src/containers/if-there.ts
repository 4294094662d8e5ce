import type { ContainerInspect, ImageInspect } from '../domain/engine-inspect';
import { codeOf } from '../domain/errors';
import type { Engine } from '../ports/engine';

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
