import { PilotError } from '../domain/errors';
import type { Store } from '../ports/store';

/**
 * Names of the containers and services that a running update or restore replaces, or may have stopped: how they are now is not
 * how the operator left them.
 */
export function underWay({ updates, restores }: Pick<Store, 'updates' | 'restores'>): ReadonlySet<string> {
  const running = updates.withStatus('running').flatMap(({ id, container }) => {
    const [journal, rollout] = [updates.journal(id), updates.rollout(id)];
    const restored = (journal?.restore ?? rollout?.restore)?.stopped ?? [];
    const stopped = [...(journal?.stopped ?? []), ...(rollout?.scaled ?? []), ...restored];
    return [...(container === null ? [] : [container]), ...stopped.map(({ name }) => name)];
  });
  const restored = restores
    .open()
    .filter(({ status }) => status === 'running')
    .flatMap(({ id }) => restores.journal(id)?.stopped ?? []);
  return new Set([...running, ...restored.map(({ name }) => name)]);
}

/** An operator's decision is not taken from how a container is meanwhile. `remedy`: follows a colon. Throws `update_running`. */
export function refuseUnderWay(store: Pick<Store, 'updates' | 'restores'>, container: string, remedy: string): void {
  if (store.updates.openFor(container).some(({ status }) => status === 'running'))
    throw new PilotError('update_running', `An update of ${container} is already running: ${remedy}`);
  if (underWay(store).has(container))
    throw new PilotError('update_running', `${container} was stopped for another update or a restore: ${remedy}`);
}
