import { codeOf } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { keepStopped, type PolicyDeps } from './restart-policy';

/** A rename to the name that it has already would be refused. Rejects as `Engine.rename` does. */
export async function renameTo(engine: Engine, id: string, name: string): Promise<void> {
  const { Name: current } = await engine.inspectContainer(id);
  if (current !== `/${name}`) await engine.rename(id, name);
}

/**
 * Renames also a container that waits for its restart, which an engine refuses to rename (docs/research/docker-engine.md):
 * it is stopped first. Resolves with whether it was. Rejects as `Engine.rename` and `Engine.stop` do.
 */
export async function renameRestarting(deps: PolicyDeps, id: string, name: string): Promise<boolean> {
  try {
    await renameTo(deps.engine, id, name);
    return false;
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    await keepStopped(deps, id);
    await renameTo(deps.engine, id, name);
    return true;
  }
}

const DISCARD_WITHIN_SECONDS = 2;

/** Takes away a container that never held anything of its own, running or not. Already gone is fine. */
export async function discard(engine: Engine, id: string): Promise<void> {
  try {
    await engine.stop(id, DISCARD_WITHIN_SECONDS);
    await engine.remove(id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

/** Removes a container that must be stopped by now; should it run all the same, it is stopped in its own time. Gone is fine. */
export async function stopAndRemove(deps: PolicyDeps, id: string): Promise<void> {
  try {
    await keepStopped(deps, id);
    await deps.engine.remove(id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
  deps.store.disarmed.remove(id);
}

/** A crash may have come between a container's creation and the entry of its id. */
export async function removeByName({ engine }: { engine: Engine }, name: string): Promise<void> {
  try {
    await discard(engine, (await engine.inspectContainer(name)).Id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}
