import { membersOf, placeOf, isServer } from '../domain/backups/backup-place';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { codeOf } from '../domain/errors';
import { placeOfData, whyTwice, type PlaceOfData } from '../domain/services/place-of-data';
import { whyUnprotected } from '../domain/services/refusal';
import type { ServiceInspect, TaskInspect } from '../domain/services/swarm-inspect';

interface Read {
  service: ServiceInspect;
  target: Container;
}

/**
 * The services with where their data can be read, with the databases of their stack as what they depend on (Swarm does not say
 * which service uses one), and with why no update can be made: a backup of their set cannot be taken, or diun-pilot may run twice.
 */
export async function withSets({ swarm }: Pick<Deps, 'swarm'>, read: readonly Read[]): Promise<Container[]> {
  const { places, twice } = await lookAround(swarm, read);
  const targets = read.map(({ target }) => {
    const data = places.get(target.id);
    return data === undefined ? target : { ...target, swarm: { ...swarmOf(target), data } };
  });
  return targets.map((target) => {
    const members = membersOf(placeOf(target), targets);
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
