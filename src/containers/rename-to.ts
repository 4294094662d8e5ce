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
