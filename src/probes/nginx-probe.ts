import type { Answer, Probe, ProbeTarget } from './probe';
import { healthy, notYet } from './probe';
import { execInside, lastWords } from './exec-probe';

const LISTENING = '0A';

/** The configuration parses in the container as it runs, and something listens. */
export function nginxProbe(target: ProbeTarget): Probe {
  return {
    question: 'nginx -t in the container, and a listening port',
    ask: async () => {
      const test = await execInside(target, ['nginx', '-t']);
      if ('failure' in test) return notYet(test.failure);
      if (test.exitCode !== 0) return notYet(`nginx -t exits ${test.exitCode}: ${lastWords(test)}`);
      return listening(target);
    },
  };
}

/** Asked through `/proc/net`, so that no network has to be shared with the container (proc(5), state 0A). */
async function listening(target: ProbeTarget): Promise<Answer> {
  const table = await execInside(target, ['cat', '/proc/net/tcp', '/proc/net/tcp6']);
  if ('failure' in table) return healthy(`nginx -t passes (its ports could not be read: ${table.failure})`);
  const ports = table.stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTENING)
    .map((fields) => parseInt(fields[1]?.split(':')[1] ?? '', 16))
    .filter((port) => port > 0);
  if (ports.length === 0) return notYet('nginx -t passes, but nothing listens yet');
  return healthy(`nginx -t passes, and it listens on ${[...new Set(ports)].sort((a, b) => a - b).join(', ')}`);
}
