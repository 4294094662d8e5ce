import { readContainers } from '../containers/read-containers';
import type { Deps } from '../deps';
import { isServer, membersOf, backupPlaceOf } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { codeOf, EngineError, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { placeOfData, type PlaceOfData, whyTwice } from '../domain/services/place-of-data';
import { whyUnprotected, toTarget } from '../domain/services/to-target';
import type { ServiceInspect, TaskInspect } from '../domain/services/swarm-inspect';
import type { Engine } from '../ports/engine';
import type { SwarmRole } from '../ports/swarm';

type Reading = Pick<Deps, 'engine' | 'swarm' | 'selfId' | 'logger'>;

/** All that an update may be decided for: the containers of the engine, and on a manager the services of its Swarm. */
export async function readTargets(deps: Reading): Promise<Container[]> {
  const containers = await readContainers(deps.engine, deps.selfId);
  return [...containers, ...(await readServices(deps, containers))];
}

/** What `check` and the page show of the Swarm: on a manager its services, as policy sees them. */
export interface SwarmSeen {
  role: SwarmRole['role'];
  services: Container[];
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

interface Read {
  service: ServiceInspect;
  target: Container;
}

/**
 * The services with where their data can be read, with the databases of their stack as what they depend on (Swarm does not say
 * which service uses one), and with why no update can be made: a backup of their set cannot be taken, or diun-pilot may run twice.
 */
async function withSets({ swarm }: Pick<Deps, 'swarm'>, read: readonly Read[]): Promise<Container[]> {
  const { places, twice } = await lookAround(swarm, read);
  const targets = read.map(({ target }) => {
    const data = places.get(target.id);
    return data === undefined ? target : { ...target, swarm: { ...swarmOf(target), data } };
  });
  return targets.map((target) => {
    const members = membersOf(backupPlaceOf(target), targets);
    const { refusal, ...rest } = swarmOf(target);
    return {
      ...target,
      dependsOn: databasesFor(target, members),
      swarm: { ...rest, refusal: refusal ?? twice ?? whyUnprotected(target, members) },
    };
  });
}

/** Where each service with data has it, and why diun-pilot's own service may run twice; asked only where there is one of them. */
async function lookAround(
  swarm: Deps['swarm'],
  read: readonly Read[],
): Promise<{ places: ReadonlyMap<string, PlaceOfData>; twice: string | null }> {
  const own = read.find(({ target }) => target.self);
  const withData = read.filter(({ target }) => hasData(target));
  if (own === undefined && withData.length === 0) return { places: new Map(), twice: null };
  const [role, nodes] = await Promise.all([swarm.role(), swarm.nodes()]);
  const nodeId = 'nodeId' in role ? role.nodeId : '';
  const found = withData.map(async ({ service, target: { labels } }): Promise<[string, PlaceOfData]> => {
    const tasks = await tasksOf(swarm, service.ID);
    return [service.ID, placeOfData(service, labels, { tasks, nodes, nodeId })];
  });
  const twice = own === undefined ? null : whyTwice(own.service, { tasks: [], nodes, nodeId });
  return { places: new Map(await Promise.all(found)), twice };
}

function hasData({ labels, application }: Container): boolean {
  return labels.backup !== null || application === 'postgres';
}

/** None of a service that was removed meanwhile. */
async function tasksOf(swarm: Deps['swarm'], serviceId: string): Promise<TaskInspect[]> {
  try {
    return await swarm.tasks(serviceId);
  } catch (error) {
    if (codeOf(error) !== 'service_not_found') throw error;
    return [];
  }
}

/** Any service of the stack may use them, but for the databases themselves. */
function databasesFor(target: Container, members: readonly Container[]): string[] {
  if (target.project === null || isServer(target)) return [];
  return members.filter(isServer).flatMap(({ service }) => service ?? []);
}

function swarmOf({ swarm }: Container): NonNullable<Container['swarm']> {
  if (swarm === undefined) throw new Error('a container is not a service');
  return swarm;
}

/**
 * A member of a backup set as its data is read now: of a service by the container of its task, a container as it is. Rejects with
 * `backup_failed` and the reason where the data of a service cannot be read here.
 */
export async function asReadNow(engine: Engine, member: Container): Promise<Container> {
  const data = member.swarm?.data;
  if (member.swarm === undefined) return member;
  if (data === undefined || 'why' in data)
    throw new PilotError('backup_failed', data?.why ?? `${member.name} has no data that is backed up.`);
  const { Id, Image } = await engine.inspectContainer(data.containerId);
  return { ...member, id: Id, imageId: Image };
}
