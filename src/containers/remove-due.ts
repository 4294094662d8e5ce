import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf } from '../domain/errors';
import type { KeptContainer } from '../ports/stopped-containers';
import { asideParts, isOneOff, isOurs } from './artifact-names';
import { inspectByName, inspectIfThere } from './if-there';
import { keepLostFiles } from './keep-lost-files';
import { triedAgainAt, type KeptDeps } from './kept-containers';
import { stopAndRemove } from './remove-aside';
import { removeWithData } from './remove-one-off';
import { rearm } from './restart-policy';

/** Removes the kept containers whose time has come. False: nothing more to do. Rejects only with `engine_unreachable`. */
export async function removeDueContainers(deps: KeptDeps): Promise<boolean> {
  for (const kept of deps.store.keptContainers.due(deps.clock.now().toISOString())) {
    try {
      await removeDue(deps, kept);
    } catch (error) {
      if (codeOf(error) === 'engine_unreachable') throw error;
      postpone(deps, kept, `It could not be removed: ${messageOf(error)}`);
    }
  }
  return false;
}

async function removeDue(deps: KeptDeps, kept: KeptContainer): Promise<void> {
  const { engine, store, logger } = deps;
  const found = await inspectIfThere(engine, kept.containerId);
  if (found !== null && !isOurs(found.Name)) {
    await rearm(deps, kept.containerId);
    store.keptContainers.remove(kept.containerId);
    logger.info('a kept container has another name by now and is the operator’s', { name: found.Name.slice(1) });
    return;
  }
  const isOld = asideParts(found?.Name.slice(1) ?? '')?.role === 'old';
  if (found !== null && isOneOff(found.Name)) await removeWithData(engine, kept.containerId);
  else if (found !== null && (kept.leftover || isOld)) {
    const bearer = await inspectByName(engine, kept.container);
    if (bearer === null)
      return postpone(deps, kept, `No container has the name ${kept.container}, so this one is not removed.`);
    await keepItsFiles(deps, kept, found, bearer);
  }
  if (found !== null && !isOneOff(found.Name)) await stopAndRemove(deps, kept.containerId);
  store.disarmed.remove(kept.containerId);
  store.keptContainers.remove(kept.containerId);
  logger.info('a kept container is removed', { container: kept.container, name: kept.name, update: kept.updateId });
}

/** An old container that was left over may hold files that its replacement does not have. */
async function keepItsFiles(
  deps: KeptDeps,
  { container, updateId }: KeptContainer,
  old: ContainerInspect,
  bearer: ContainerInspect,
): Promise<void> {
  if (asideParts(old.Name.slice(1))?.role !== 'old') return;
  await keepLostFiles(deps, { old, replacementId: bearer.Id, container, updateId });
}

function postpone(deps: KeptDeps, kept: KeptContainer, reason: string): void {
  deps.store.keptContainers.add({ ...kept, reason, leftover: true, keepUntil: triedAgainAt(deps) });
  if (kept.reason !== reason) deps.logger.warn('a kept container is not removed', { name: kept.name, reason });
}
