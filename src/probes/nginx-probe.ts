import { networkOwner } from '../domain/network/shared-network';
import { execInside, lastWords } from './exec-probe';
import { type Answer, healthy, notYet, type Probe, type ProbeTarget } from './probe';
import { listenersIn, ownListeners, portsOf } from './tcp-probe';

/** The configuration parses in the container as it runs, and it listens. */
export function nginxProbe(target: ProbeTarget): Probe {
  return {
    question: 'nginx -t in the container, and a listening port',
    ask: async () => {
      const test = await execInside(target, ['nginx', '-t']);
      if ('failure' in test) return notYet(test.failure);
      if (test.exitCode !== 0) return notYet(`nginx -t exits ${test.exitCode}: ${lastWords(test)}`);
      return listens(target);
    },
  };
}

/** In a shared network namespace, "its ports could not be read" would let a container pass that never bound them. */
async function listens(target: ProbeTarget): Promise<Answer> {
  const shared = networkOwner(target.container) !== null;
  const ports = await (shared ? ownListeners(target) : listenersIn(target));
  if ('failure' in ports) {
    const detail = `nginx -t passes (its ports could not be read: ${ports.failure})`;
    return shared ? notYet(detail) : healthy(detail);
  }
  if (ports.listeners.length === 0) return notYet('nginx -t passes, but nothing listens yet');
  return healthy(`nginx -t passes, and it listens on ${portsOf(ports.listeners).join(', ')}`);
}
