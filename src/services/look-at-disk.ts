import { freeAsSeenBy, noteDisk } from '../containers/engine-disk';
import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { formatBytes } from '../domain/format';
import { readTargets } from './read-targets';

/** One after the other: a host whose images have no `df` must not keep the worker. */
const MOST_ASKED = 10;

/**
 * As the first watched container, or task of a watched service on this node, that can answer sees it; null: none can. Rejects as
 * `readTargets`.
 */
export async function freeOnEngine(deps: Pick<Deps, 'engine' | 'swarm' | 'logger' | 'selfId'>): Promise<number | null> {
  const targets = await readTargets(deps);
  const services = targets.filter(({ swarm, labels }) => swarm !== undefined && labels.watched).map(({ name }) => name);
  const asked = targets.filter(
    ({ swarm, labels, running, self, swarmService }) =>
      swarm === undefined && running && !self && (labels.watched || services.includes(swarmService ?? '')),
  );
  for (const { id } of asked.slice(0, MOST_ASKED)) {
    const free = await freeAsSeenBy(deps, id);
    if (free !== null) return free;
  }
  return null;
}

/** Each hour and at each start, so that the operator knows it before an update starts. */
export async function lookAtDisk(deps: Deps): Promise<WorkOutcome> {
  const free = await freeOnEngine(deps);
  noteDisk(deps, free);
  const outcome = free === null ? 'Not known: no watched container could answer.' : `${formatBytes(free)} free.`;
  return { outcome, trouble: null };
}
