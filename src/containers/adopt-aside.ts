import type { Deps } from '../deps';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { oldIsWayBack } from '../domain/recreate/way-back';
import type { Store } from '../ports/store';
import { asideParts, type Role } from './artifact-names';
import { adoptHolder, keepLeftover, keepWayBack, type Found, type KeptDeps } from './kept-containers';

/**
 * Lists what an earlier process left behind without a record: containers that an update of this database created or renamed,
 * and that exists though the update has ended. One of an update that is unknown here belongs to another diun-pilot, perhaps
 * one at work: it is only logged. Forgets those that were removed or given their name back by hand.
 */
export async function adoptAside(deps: Pick<Deps, 'clock' | 'engine' | 'logger' | 'store'>): Promise<void> {
  const { engine, store, logger } = deps;
  const listed = await engine.containers();
  const names = new Map(listed.map(({ id, name }) => [id, name]));
  for (const { containerId, container } of store.keptContainers.all())
    if (!names.has(containerId) || names.get(containerId) === container) store.keptContainers.remove(containerId);
  for (const { id: containerId, name } of listed) {
    const parts = name === null ? null : asideParts(name);
    if (name === null || parts === null || store.keptContainers.find(containerId) !== null) continue;
    const { updates } = store.updates.list({ container: parts.container, limit: 200 });
    const update = updates.find(({ id }) => id.slice(-10).toLowerCase() === parts.mark);
    if (update === undefined) logger.warn('a container of an unknown update exists: remove it by hand', { name });
    else if (update.status !== 'running') {
      const reason = `It is left over from update ${update.id}.`;
      const found = { containerId, name, container: parts.container, updateId: update.id, reason };
      const trouble = await unlessUnreachable(adopt(deps, parts.role, found));
      logger.warn('a container of an update that has ended exists', { name, update: update.id, trouble });
    }
  }
  store.keptContainers.retryLeftovers(deps.clock.now().toISOString());
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
