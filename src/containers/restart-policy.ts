import type { ContainerInspect, RestartPolicy } from '../domain/engine-inspect';
import { codeOf, messageOf, rethrowEngineLost } from '../domain/errors';
import { NEVER, restarts } from '../domain/recreate/own-config';
import type { Logger } from '../lib/logger';
import type { Engine, ListedContainer } from '../ports/engine';
import type { Store } from '../ports/store';
import { isOurs } from './artifact-names';
import { inspectIfThere } from './read-containers';

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
    await engine.updateContainer(id, { RestartPolicy: NEVER });
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
  return found;
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
  if (found?.State.Running !== false) await deps.engine.stop(id, timeoutSeconds);
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
