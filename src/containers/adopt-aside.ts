import type { Deps } from '../deps';
import { codeOf, messageOf } from '../domain/errors';
import { asideParts } from './artifact-names';
import { adoptHolder } from './keep-lost-files';
import { keepLeftover } from './kept-containers';

/**
 * Lists what an earlier process left behind without a record: containers that an update of this database created or renamed,
 * and that exists though the update has ended. One of an update that is unknown here belongs to another diun-pilot, perhaps
 * one at work: it is only logged. Forgets those that were removed by hand.
 */
export async function adoptAside(deps: Deps): Promise<void> {
  const { engine, store, logger } = deps;
  const listed = await engine.containers();
  const ids = new Set(listed.map(({ id }) => id));
  for (const { containerId } of store.keptContainers.all())
    if (!ids.has(containerId)) store.keptContainers.remove(containerId);
  for (const { id: containerId, name } of listed) {
    const parts = name === null ? null : asideParts(name);
    if (name === null || parts === null || store.keptContainers.find(containerId) !== null) continue;
    const { updates } = store.updates.list({ container: parts.container, limit: 200 });
    const update = updates.find(({ id }) => id.slice(-10).toLowerCase() === parts.mark);
    if (update === undefined) logger.warn('a container of an unknown update exists: remove it by hand', { name });
    else if (update.status !== 'running') {
      const reason = `It is left over from update ${update.id}.`;
      const found = { containerId, name, container: parts.container, updateId: update.id, reason };
      const trouble = await unlessUnreachable(
        parts.role === 'kept' ? adoptHolder(deps, found) : keepLeftover(deps, found),
      );
      logger.warn('a container of an update that has ended exists', { name, update: update.id, trouble });
    }
  }
  store.keptContainers.retryLeftovers(deps.clock.now().toISOString());
}

/** It is listed in any case. Why it could not be stopped; undefined: it could. */
async function unlessUnreachable(kept: Promise<void>): Promise<string | undefined> {
  try {
    await kept;
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    return messageOf(error);
  }
}
