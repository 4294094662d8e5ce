import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { EngineError, messageOf, rethrowEngineLost } from '../domain/errors';
import { toTarget } from '../domain/services/to-target';
import { withSets } from './sets-of-services';
import type { SwarmSeen } from '../domain/services/swarm-seen';
import type { SwarmRole } from '../ports/services/swarm';

type Reading = Pick<Deps, 'engine' | 'swarm' | 'selfId' | 'logger'>;

/** All that an update may be decided for: the containers of the engine, and on a manager the services of its Swarm. */
export async function readTargets(deps: Reading): Promise<Container[]> {
  const containers = await readContainers(deps.engine, deps.selfId);
  return [...containers, ...(await readServices(deps, containers))];
}

/** For `check` and the page. */
export async function lookAtSwarm(deps: Reading): Promise<SwarmSeen> {
  const { role } = await roleOf(deps);
  if (role !== 'manager') return { role, services: [] };
  return { role, services: await readServices(deps, await readContainers(deps.engine, deps.selfId)) };
}

/**
 * The services of the Swarm as policy sees them; none on an engine that is not a manager. One that has the name of a container is
 * left out, since updates are known by name.
 */
export async function readServices(deps: Reading, containers: readonly Container[]): Promise<Container[]> {
  if ((await roleOf(deps)).role !== 'manager') return [];
  return servicesOfManager(deps, containers);
}

/** The same where the engine is known to be a manager. */
export async function servicesOfManager(deps: Reading, containers: readonly Container[]): Promise<Container[]> {
  const all = await deps.swarm.services();
  const names = new Set(containers.map(({ name }) => name));
  const ofThese = (test: (container: Container) => boolean): Set<string | null> =>
    new Set(containers.filter(test).map(({ swarmService }) => swarmService));
  const own = ofThese(({ self }) => self);
  const doors = ofThese(({ engineDoor }) => engineDoor);
  const targets = await withSets(
    deps,
    all.flatMap((service) => {
      const { Name: name } = service.Spec;
      const target = toTarget(service, { self: own.has(name), door: doors.has(name) });
      return target === null ? [] : [{ service, target }];
    }),
  );
  for (const { name, labels } of targets) {
    if (names.has(name) && labels.watched)
      deps.logger.warn('a service is left out, since a container has the same name: rename one', { service: name });
  }
  return targets.filter(({ name }) => !names.has(name)).sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * For an update of a service, which only a manager has made: no answer, or an error, is not that there is no Swarm. Rejects with
 * `engine_unreachable` only, to be called again.
 */
export async function certainRoleOf({ swarm }: Pick<Deps, 'swarm'>): Promise<SwarmRole> {
  try {
    return await swarm.role();
  } catch (error) {
    rethrowEngineLost(error);
    const words = `Not known whether the engine is still a manager of its Swarm: ${messageOf(error)}`;
    throw new EngineError('engine_unreachable', words, { cause: error });
  }
}

/** A proxy of the socket may not pass the question on: then there is no Swarm. Rejects with `engine_unreachable` only. */
export async function roleOf({ swarm, logger }: Pick<Deps, 'swarm' | 'logger'>): Promise<SwarmRole> {
  try {
    return await swarm.role();
  } catch (error) {
    rethrowEngineLost(error);
    logger.debug('not known whether the engine is in a Swarm', { reason: messageOf(error) });
    return { role: 'none' };
  }
}
