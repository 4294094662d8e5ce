import type { Deps } from '../deps';
import { inspectIfThere } from './if-there';
import { asideParts } from './aside-names';
import { keepLeftover } from './kept-containers';

/**
 * Lists what an earlier process left behind without a record: containers that an update of this database created or renamed,
 * and that exists though the update has ended. One of an update that is unknown here belongs to another diun-pilot, perhaps
 * one at work: it is only logged.
 */
export async function adoptAside(deps: Deps): Promise<void> {
  const { engine, store, logger } = deps;
  const inspects = await Promise.all((await engine.containerIds()).map((id) => inspectIfThere(engine, id)));
  for (const { Id: containerId, Name } of inspects.filter((inspect) => inspect !== null)) {
    const name = Name.slice(1);
    const parts = asideParts(name);
    if (parts === null || store.keptContainers.find(containerId) !== null) continue;
    const { updates } = store.updates.list({ container: parts.container, limit: 200 });
    const update = updates.find(({ id }) => id.slice(-10).toLowerCase() === parts.mark);
    if (update === undefined) logger.warn('a container of an unknown update exists: remove it by hand', { name });
    else if (update.status !== 'running') {
      const reason = `It is left over from update ${update.id}.`;
      await keepLeftover(deps, { containerId, name, container: parts.container, updateId: update.id, reason });
      logger.warn('a container of an update that has ended exists', { name, update: update.id });
    }
  }
  store.keptContainers.retryLeftovers(deps.clock.now().toISOString());
}
