import { codeOf, messageOf, rethrowEngineLost } from '../domain/errors';
import { couldNotJoin } from '../domain/network/shared-network';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Engine } from '../ports/engine';
import { inspectIfThere } from './read-containers';
import { keepStopped, type PolicyDeps, startArmed } from './restart-policy';

const OWNER_WITHIN_MS = 15_000;
/** The engine, or a program that was just stopped, may release a port a moment late. */
const PORT_WITHIN_MS = 10_000;
const PORT_IS_TAKEN = /port is already allocated|address already in use/i;
const ASK_EVERY_MS = 500;

interface Parts extends PolicyDeps {
  clock: Clock;
  logger: Logger;
}

/**
 * Starts a container with its own restart policy. Where it lives in the network of another that is on its way, as after a
 * restart of the engine, that one is waited for, for 15 s at most; a port that is still taken, for 10 s. Already running is
 * fine. Rejects as `Engine.start` does.
 */
export async function startJoining(parts: Parts, id: string): Promise<void> {
  await startArmed(parts, id, () => startWhenItCan(parts, id));
}

async function startWhenItCan({ engine, clock }: Parts, id: string): Promise<void> {
  for (let waited = 0; ; waited += ASK_EVERY_MS) {
    try {
      return await engine.start(id);
    } catch (error) {
      if (waited >= patienceFor(error)) throw error;
    }
    await clock.sleep(ASK_EVERY_MS);
  }
}

function patienceFor(error: unknown): number {
  if (codeOf(error) !== 'engine_refused') return 0;
  if (couldNotJoin(messageOf(error))) return OWNER_WITHIN_MS;
  return PORT_IS_TAKEN.test(messageOf(error)) ? PORT_WITHIN_MS : 0;
}

/**
 * An engine that comes back starts guests before the owners of their networks, and leaves those stopped (measured); one with the
 * policy `no` it does not start at all. Neither is a fault of the container: it is started. If it cannot be, its health
 * check reports it. Rejects with `engine_unreachable`.
 */
export async function startIfStopped(parts: Parts, id: string): Promise<void> {
  const inspect = await inspectIfThere(parts.engine, id);
  if (inspect === null || inspect.State.Running) return;
  try {
    await startJoining(parts, id);
  } catch (error) {
    rethrowEngineLost(error);
    parts.logger.warn('a container does not start again', { id, reason: messageOf(error) });
  }
}

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

/**
 * Takes away a container that never held anything of its own, running or not. Already gone is fine. `volumes`: with those that
 * the engine made for it alone; only where nothing can have been written to them.
 */
export async function discard(engine: Engine, id: string, also?: { volumes: boolean }): Promise<void> {
  try {
    await engine.stop(id, DISCARD_WITHIN_SECONDS);
    await engine.remove(id, also);
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
export async function removeByName(
  { engine }: { engine: Engine },
  name: string,
  also?: { volumes: boolean },
): Promise<void> {
  try {
    await discard(engine, (await engine.inspectContainer(name)).Id, also);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}
