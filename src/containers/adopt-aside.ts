import type { Deps } from '../deps';
import type { WorkOutcome } from '../domain/due-work';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { plural } from '../domain/format';
import { oldIsWayBack } from '../domain/recreate/way-back';
import type { Clock } from '../lib/clock';
import type { Store } from '../ports/store';
import { asideParts, type Role } from './artifact-names';
import { insist } from './insist';
import { adoptHolder, keepLeftover, keepWayBack, type Found, type KeptDeps } from './kept-containers';

type AdoptDeps = Pick<Deps, 'clock' | 'engine' | 'logger' | 'store'>;

/**
 * Lists what an earlier process left behind without a record: containers that an update or a restore of this database created or
 * renamed, and that exist though it has ended. One of an update that is unknown here belongs to another diun-pilot, perhaps
 * one at work: it is only logged. Forgets those that were removed or given their name back by hand. Resolves with how many are new.
 */
export async function adoptAside(deps: AdoptDeps): Promise<number> {
  const { engine, store, logger } = deps;
  const listed = await engine.containers();
  const names = new Map(listed.map(({ id, name }) => [id, name]));
  for (const { containerId, container } of store.keptContainers.all())
    if (!names.has(containerId) || names.get(containerId) === container) store.keptContainers.remove(containerId);
  let adopted = 0;
  for (const { id: containerId, name } of listed) {
    const parts = name === null ? null : asideParts(name);
    if (name === null || parts === null || store.keptContainers.find(containerId) !== null) continue;
    const work = workOf(store, parts.mark);
    if (work === null) logger.warn('a container of an unknown update or restore exists: remove it by hand', { name });
    else if (work.isOver) {
      const reason = `It is left over from ${work.what} ${work.id}.`;
      const found = { containerId, name, container: parts.container, updateId: work.id, reason };
      const trouble = await unlessUnreachable(adopt(deps, parts.role, found));
      logger.warn('a container is left over from work that has ended', { name, [work.what]: work.id, trouble });
      adopted++;
    }
  }
  store.keptContainers.retryLeftovers(deps.clock.now().toISOString());
  return adopted;
}

/** What a container was made for: an update, or a restore of its own. Null: unknown here. */
function workOf(
  { updates, restores }: Pick<Store, 'updates' | 'restores'>,
  mark: string,
): { what: 'update' | 'restore'; id: string; isOver: boolean } | null {
  const update = updates.withMark(mark);
  if (update !== null) return { what: 'update', id: update.id, isOver: update.status !== 'running' };
  const restore = restores.withMark(mark);
  return restore === null ? null : { what: 'restore', id: restore.id, isOver: restore.finishedAt !== null };
}

/** There may be containers that moved or read files for work which ends now: to be called in the transaction of its end. */
export function lookForLeftovers({ store, clock }: { store: Pick<Store, 'timers'>; clock: Clock }): void {
  store.timers.ring('leftovers', clock.now().toISOString());
}

/** A process that died may have left some, and the removal of others may have been refused. Rejects with `engine_unreachable`. */
export async function adoptLeftovers(deps: AdoptDeps): Promise<WorkOutcome> {
  const found = await insist(deps, 'the look for what is left over', () => adoptAside(deps));
  return { outcome: `Found ${plural(found, 'container')} left over.`, trouble: null };
}

function adopt(deps: KeptDeps & { store: Pick<Store, 'updates'> }, role: Role, found: Found): Promise<void> {
  if (role === 'kept') return adoptHolder(deps, found);
  const isWayBack = role === 'old' && oldIsWayBack(deps.store.updates.journal(found.updateId));
  return isWayBack ? keepWayBack(deps, found) : keepLeftover(deps, found);
}

/** It is listed in any case. Why it could not be stopped; undefined: it could. */
async function unlessUnreachable(kept: Promise<void>): Promise<string | undefined> {
  try {
    await kept;
    return undefined;
  } catch (error) {
    rethrowEngineLost(error);
    return messageOf(error);
  }
}
