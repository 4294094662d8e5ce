import type { ContainerInspect, RestartPolicy } from '../domain/engine-inspect';
import { codeOf, messageOf, rethrowEngineLost } from '../domain/errors';
import { NEVER, restarts } from '../domain/recreate/own-config';
import type { Logger } from '../lib/logger';
import type { Engine, ListedContainer } from '../ports/engine';
import type { Store } from '../ports/store';
import { isOurs } from './artifact-names';
import { inspectIfThere } from './read-containers';
import { couldNotJoin } from '../domain/network/shared-network';
import type { Clock } from '../lib/clock';

export interface PolicyDeps {
  engine: Engine;
  store: Pick<Store, 'disarmed'>;
}

/**
 * An engine that comes back starts a stopped container again: one with `always` in every case, one with `on-failure` after
 * an exit code such as 137 (measured). So a container that must stay stopped gets the policy `no` before its stop; its own is recorded
 * first, so that a crash in between loses nothing. May be done twice. Resolves with what it was before; null: it is gone.
 */
async function disarm({ engine, store }: PolicyDeps, id: string): Promise<ContainerInspect | null> {
  const found = await inspectIfThere(engine, id);
  const policy = found?.HostConfig.RestartPolicy;
  if (found === null || !restarts(policy)) return found;
  store.disarmed.add({ containerId: id, name: found.Name.slice(1), policy });
  try {
    await againIfItEndsNow(() => engine.updateContainer(id, { RestartPolicy: NEVER }));
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
  return found;
}

/** What an engine says of a container that ends in that moment, as one does that keeps restarting (measured). */
const ENDS_NOW = /cannot update a stopped container|container (?:is )?not running/i;

async function againIfItEndsNow(act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => {
    if (codeOf(error) !== 'engine_refused' || !ENDS_NOW.test(messageOf(error))) throw error;
    return act();
  });
}

/**
 * Puts the container's own restart policy back, exactly: before its start. Nothing is done for one that was not disarmed, or
 * to which another process gave a policy meanwhile. Rejects as `Engine.updateContainer` does.
 */
export async function rearm(deps: PolicyDeps, id: string): Promise<void> {
  if (await putPolicyBack(deps, id)) deps.store.disarmed.remove(id);
}

/** False: it was not disarmed. */
async function putPolicyBack({ engine, store }: PolicyDeps, id: string): Promise<boolean> {
  const disarmed = store.disarmed.find(id);
  if (disarmed === null) return false;
  const found = await inspectIfThere(engine, id);
  if (found !== null && !restarts(found.HostConfig.RestartPolicy)) {
    await engine.updateContainer(id, { RestartPolicy: disarmed.policy });
  }
  return true;
}

/** Disarms, then stops what runs, with the container's own signal and timeout unless one is given. Rejects as `Engine.stop`. */
export async function keepStopped(deps: PolicyDeps, id: string, timeoutSeconds?: number): Promise<void> {
  const found = await disarm(deps, id);
  if (found?.State.Running !== false) await againIfItEndsNow(() => deps.engine.stop(id, timeoutSeconds));
}

/**
 * With the last start of each that is stopped by now. One that keeps restarting by its policy, which `keepStopped` has recorded, may
 * have started between a look at it and its stop: that start must not be taken for one by another process.
 */
export async function withLastStart<T extends { id: string; startedAt?: string }>(
  { engine, store }: PolicyDeps,
  which: readonly T[],
): Promise<T[]> {
  const lastStart = async (each: T): Promise<T> => {
    if (store.disarmed.find(each.id) === null) return each;
    const state = (await inspectIfThere(engine, each.id))?.State;
    return state === undefined || state.Running ? each : { ...each, startedAt: state.StartedAt };
  };
  return Promise.all(which.map(lastStart));
}

/** As `keepStopped`, of one that may be gone. */
export async function stopIfThere(deps: PolicyDeps, id: string): Promise<void> {
  try {
    await keepStopped(deps, id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

/**
 * Starts a container with its own restart policy. Already running is fine. A record that cannot be removed keeps no container
 * down: it is removed after the start, and otherwise by `rearmRunning`.
 */
export async function startArmed(
  deps: PolicyDeps & { logger: Logger },
  id: string,
  start: () => Promise<void> = () => deps.engine.start(id),
): Promise<void> {
  const wasDisarmed = await putPolicyBack(deps, id);
  try {
    await start();
  } finally {
    if (wasDisarmed) forget(deps, id);
  }
}

function forget({ store, logger }: Pick<PolicyDeps, 'store'> & { logger: Logger }, id: string): void {
  try {
    store.disarmed.remove(id);
  } catch (error) {
    logger.warn('the record of a restart policy cannot be removed', { id, reason: messageOf(error) });
  }
}

/** The policy that the container had before it was disarmed, else the one that it has. */
export function ownPolicy(
  { store }: Pick<PolicyDeps, 'store'>,
  container: Pick<ContainerInspect, 'Id' | 'HostConfig'>,
): RestartPolicy | null | undefined {
  const now = container.HostConfig.RestartPolicy;
  return restarts(now) ? now : (store.disarmed.find(container.Id)?.policy ?? now);
}

interface RunningDeps extends PolicyDeps {
  store: Pick<Store, 'disarmed' | 'keptContainers'>;
  logger: Logger;
}

/**
 * Restores the restart policy of every disarmed container that is running by now, however it was started; forgets removed
 * ones. A stopped one stays disarmed. Only while no update and no restore is running. Asked in every turn of the worker, so
 * the list decides which are inspected: many may be kept for days. Null: the engine lists none, and each is.
 */
export async function rearmRunning(deps: RunningDeps, listed: readonly ListedContainer[] | null): Promise<void> {
  const byId = new Map(listed?.map((each) => [each.id, each]));
  for (const { containerId: id, name, policy } of deps.store.disarmed.all()) {
    const found = byId.get(id);
    if (found === undefined || (found.running && !isOurs(found.name ?? '')))
      await rearmOne(deps, id, { name, policy: policy.Name });
  }
}

/** One that the engine cannot describe, or whose policy it refuses, keeps its record and no other container waiting. */
async function rearmOne(deps: RunningDeps, id: string, fields: Record<string, unknown>): Promise<void> {
  try {
    const found = await inspectIfThere(deps.engine, id);
    if (found === null) return deps.store.disarmed.remove(id);
    if (!found.State.Running || isOurs(found.Name.slice(1))) return;
    await rearm(deps, id);
    forgetIfBack(deps, found);
    deps.logger.info('the restart policy of a container is back', fields);
  } catch (error) {
    rethrowEngineLost(error);
    deps.logger.debug('the restart policy of a container could not be put back', {
      ...fields,
      reason: messageOf(error),
    });
  }
}

/** A kept container that the operator has given its name back is in service again. */
function forgetIfBack({ store }: RunningDeps, { Id, Name }: ContainerInspect): void {
  if (`/${store.keptContainers.find(Id)?.container}` === Name) store.keptContainers.remove(Id);
}

const OWNER_WITHIN_MS = 15_000;
/** The engine, or a program that was just stopped, may release a port a moment late. */
const PORT_WITHIN_MS = 10_000;
/** What an engine says of a start. */
export const PORT_IS_TAKEN = /port is already allocated|address already in use/i;
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
