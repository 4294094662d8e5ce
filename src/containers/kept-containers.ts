import { codeOf, messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { KeptContainer } from '../ports/stopped-containers';
import type { Store } from '../ports/store';
import { isOurs } from './aside-names';
import { inspectByName, inspectIfThere } from './if-there';
import { stopAndRemove } from './remove-aside';
import { keepStopped, rearm, type PolicyDeps } from './restart-policy';

const TRY_AGAIN_MS = 3_600_000;

interface KeptDeps extends PolicyDeps {
  store: Pick<Store, 'disarmed' | 'keptContainers'>;
  clock: Clock;
  logger: Logger;
}

/**
 * Keeps a container after the end of its update: stopped, with restart policy `no`, listed on the page and by `check`, and
 * removed by the worker once `keepUntil` has come. Recorded first, so that a crash in between leaves nothing hidden.
 */
export async function keepAside(deps: KeptDeps, kept: KeptContainer): Promise<void> {
  deps.store.keptContainers.add(kept);
  await keepStopped(deps, kept.containerId);
}

/** One that should have been removed: an error, and the next start tries again. */
export async function keepLeftover(
  deps: KeptDeps,
  found: Omit<KeptContainer, 'leftover' | 'keepUntil'>,
): Promise<void> {
  await keepAside(deps, { ...found, leftover: true, keepUntil: later(deps) });
}

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
  if (kept.leftover && found !== null && (await inspectByName(engine, kept.container)) === null) {
    return postpone(deps, kept, `No container has the name ${kept.container}, so this one is not removed.`);
  }
  if (found !== null) await stopAndRemove(deps, kept.containerId);
  store.disarmed.remove(kept.containerId);
  store.keptContainers.remove(kept.containerId);
  logger.info('a kept container is removed', { container: kept.container, name: kept.name, update: kept.updateId });
}

function postpone(deps: KeptDeps, kept: KeptContainer, reason: string): void {
  deps.store.keptContainers.add({ ...kept, reason, leftover: true, keepUntil: later(deps) });
  if (kept.reason !== reason) deps.logger.warn('a kept container is not removed', { name: kept.name, reason });
}

function later({ clock }: KeptDeps): string {
  return new Date(clock.now().getTime() + TRY_AGAIN_MS).toISOString();
}
