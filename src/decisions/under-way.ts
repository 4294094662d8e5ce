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
