import { refuseWhileObserving } from '../domain/mode';
import type { Swarm } from '../ports/services/swarm';
import type { Store } from '../ports/store';

/** The Swarm while diun-pilot observes: no service is changed, except that an interrupted update is finished or undone. */
export function observingSwarm(swarm: Swarm, { updates }: Pick<Store, 'updates'>): Swarm {
  const refuse = (): void => {
    if (updates.withStatus('running').length === 0)
      refuseWhileObserving('observe', 'The update of a service was refused.');
  };
  return {
    ...swarm,
    rollOut: async (seen, spec) => (refuse(), swarm.rollOut(seen, spec)),
    update: async (seen, spec) => (refuse(), swarm.update(seen, spec)),
    rollBack: async (seen) => (refuse(), swarm.rollBack(seen)),
  };
}
