import { healthFailureOf } from '../../containers/check-health';
import { nginxConfiguration } from '../../containers/nginx';
import { inspectAll, inspectIfReadable } from '../../containers/read-containers';
import { dependentsOf, inStartOrder, restartedWith } from '../../domain/compose/depends-on';
import type { Container } from '../../domain/container';
import type { ContainerInspect, ContainerSnapshot } from '../../domain/engine-inspect';
import { codeOf, messageOf, rethrowEngineLost } from '../../domain/errors';
import { addressesIn, type Front, namesIn, type Neighbour } from '../../domain/health/neighbour';
import { networkOwner } from '../../domain/network/shared-network';
import { nginxUpstreams, type Proxied } from '../../domain/nginx/nginx-sites';
import { fewAtATime } from '../../lib/promises';
import { addressesOf } from '../../probes/addresses';
import { askSite, isAnswered } from '../../probes/ask-http';
import { checkpoint, type Run } from '../run';

/** A probe may be a program inside the container: not all of them at once. */
const AT_ONCE = 4;
/** Networks without name resolution, in which no nginx can name a container. */
const NAMELESS = ['bridge', 'host', 'none'];

/** A container that the update replaces, stops or restarts. */
interface Moved {
  name: string;
  names: ReadonlySet<string>;
  inspect: ContainerInspect;
}

/**
 * Reads what is next to the container and whether it responds, and keeps it in the journal: to be called while all still run.
 * `stops`: containers that will be stopped for the backup. Done already is fine. Rejects only with `engine_unreachable`.
 */
export async function noteNeighbours(
  run: Run,
  all: readonly Container[],
  stops: readonly Container[] = [],
): Promise<void> {
  if (run.journal.neighbourhood !== undefined) return;
  const ordered = restartedWith(run.container, all);
  const moved = await movedBy(run, [run.container, ...stops, ...ordered]);
  const dependents = dependentsOf(run.container, all).filter(({ running }) => running);
  const near = await nearby(run, all, { dependents, ordered, moved, stops });
  const found = await fewAtATime(near, AT_ONCE, async (container): Promise<Neighbour> => ({
    id: container.id,
    name: container.name,
    depends: dependents.includes(container),
    ordered: ordered.includes(container),
    // Of one that is stopped for the backup, its start afterwards asks its health.
    well: !isAmong(stops, container) && (await isWell(run, container)),
    nginx: container.nginx
      ? await frontOf(run, container, { moved, depends: isAmong([...dependents, ...ordered], container) })
      : null,
  }));
  const addresses = Object.fromEntries(moved.map(({ name, inspect }) => [name, addressesIn(inspect)]));
  checkpoint(run, 'preparing', {
    dependents: dependents.map(({ name }) => name),
    neighbourhood: { neighbours: found.filter(matters), addresses },
  });
}

/** One that the engine cannot describe was not seen to respond. */
async function isWell(run: Run, container: Container): Promise<boolean> {
  try {
    return (await healthFailureOf(run, container)) === null;
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    return false;
  }
}

async function movedBy({ engine }: Run, containers: readonly Container[]): Promise<Moved[]> {
  const ids = [...new Set(containers.map(({ id }) => id))];
  const found = await Promise.all(ids.map((id) => inspectIfReadable(engine, id)));
  return found
    .filter((inspect) => inspect !== null)
    .map((inspect) => ({ name: inspect.Name.slice(1), names: new Set(namesIn(inspect)), inspect }));
}

interface Near {
  dependents: readonly Container[];
  ordered: readonly Container[];
  moved: readonly Moved[];
  stops: readonly Container[];
}

/**
 * Those that depend on it, those that must be restarted, the watched ones of its project, and every watched nginx in one of
 * its networks. In the order in which they are started, with each nginx after those that may be behind it.
 */
async function nearby(run: Run, all: readonly Container[], near: Near): Promise<Container[]> {
  const { project, id: own } = run.container;
  const reachable = await sharingNetwork(run, all, near.moved);
  const isNear = (container: Container): boolean =>
    near.dependents.includes(container) ||
    near.ordered.includes(container) ||
    (container.labels.watched && ((project !== null && container.project === project) || reachable.has(container.id)));
  const found = all
    .filter(({ id, running, status, self }) => id !== own && running && status !== 'paused' && !self)
    .filter((container) => container.nginx || !isAmong(near.stops, container))
    .filter(isNear);
  const ordered = inStartOrder(found);
  return [...ordered.filter(({ nginx }) => !nginx), ...ordered.filter(({ nginx }) => nginx)];
}

/** Ids of every watched nginx that has a network with one of them, or lives in the network of a container that has. */
async function sharingNetwork(
  { engine }: Run,
  all: readonly Container[],
  moved: readonly Moved[],
): Promise<Set<string>> {
  const networks = new Set(moved.flatMap(({ inspect }) => networksOf(inspect)));
  const fronts = all.filter(({ nginx, labels }) => nginx && labels.watched);
  if (networks.size === 0 || fronts.length === 0) return new Set();
  const snapshots = new Map((await inspectAll(engine)).map((snapshot) => [snapshot.Id, snapshot]));
  const shares = ({ id }: Container): boolean => {
    const own = snapshots.get(id);
    const owner = own === undefined ? null : networkOwner(own);
    const lives = owner === null ? own : snapshots.get(owner);
    return lives !== undefined && networksOf(lives).some((network) => networks.has(network));
  };
  return new Set(fronts.filter(shares).map(({ id }) => id));
}

function networksOf({ NetworkSettings: { Networks } }: Pick<ContainerSnapshot, 'NetworkSettings'>): string[] {
  return Object.keys(Networks).filter((network) => !NAMELESS.includes(network));
}

/**
 * Which of these containers it has in its configuration, and which of its sites behind which they are answer now. Of one that
 * depends on the updated container, also those for which a variable says who is behind them.
 */
async function frontOf(
  run: Run,
  container: Container,
  { moved, depends }: { moved: readonly Moved[]; depends: boolean },
): Promise<Front> {
  const proxied = await proxiedBy(run, container);
  if (proxied === null) return { readable: false, upstreams: [], sites: [] };
  const named = moved.filter(({ names }) => proxied.upstreams.some((upstream) => names.has(upstream)));
  const isBehind = (upstream: string): boolean => named.some(({ names }) => names.has(upstream));
  const asked = proxied.sites.filter(({ upstreams }) => (upstreams.length === 0 ? depends : upstreams.some(isBehind)));
  const inspect = asked.length === 0 ? null : await inspectIfReadable(run.engine, container.id);
  if (inspect === null) return { readable: true, upstreams: named.map(({ name }) => name), sites: [] };
  const target = { engine: run.engine, container: inspect, addresses: await addressesIfThere(run, inspect) };
  const answers = await fewAtATime(asked, AT_ONCE, (site) => askSite(target, site));
  const sites = asked.filter((_, index) => isAnswered(answers[index] ?? { failure: '' }));
  return { readable: true, upstreams: named.map(({ name }) => name), sites };
}

/** The container in whose network it lives may be gone. */
async function addressesIfThere(run: Run, container: ContainerInspect): Promise<string[]> {
  try {
    return await addressesOf(run, container);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
    return [];
  }
}

/** Null: it does not pass its own test, or cannot be read. */
async function proxiedBy(run: Run, { id, name }: Container): Promise<Proxied | null> {
  try {
    return nginxUpstreams(await nginxConfiguration(run.engine, id));
  } catch (error) {
    rethrowEngineLost(error);
    const fields = { update: run.update.id, container: name, reason: messageOf(error) };
    run.logger.warn('the configuration of an nginx next to the container could not be read', fields);
    return null;
  }
}

/** One that is neither ordered to be restarted, nor responded, nor has its address says nothing about the update. */
function matters({ ordered, well, nginx }: Neighbour): boolean {
  return ordered || well || (nginx !== null && nginx.upstreams.length > 0);
}

function isAmong(containers: readonly Container[], { id }: Container): boolean {
  return containers.some((each) => each.id === id);
}
