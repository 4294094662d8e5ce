import { connect } from 'node:net';
import type { Probe, ProbeTarget } from './probe';
import { healthy, notYet } from './probe';
import { execInside } from './exec-probe';

const ANSWER_WITHIN_MS = 5_000;

/** Something accepts connections on the port: asked over a shared network, else read from `/proc/net` inside. */
export function tcpProbe(target: ProbeTarget, port: number): Probe {
  return {
    question: `tcp://:${port}`,
    ask: async () => {
      for (const address of target.addresses) {
        if (await accepts(address, port)) return healthy(`port ${port} accepts connections`);
      }
      return (await listensInside(target, port))
        ? healthy(`port ${port} is listened on`)
        : notYet(`nothing accepts connections on port ${port}`);
    },
  };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_WITHIN_MS });
    const answer = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', answer(true)).once('timeout', answer(false)).once('error', answer(false));
  });
}

async function listensInside(target: ProbeTarget, port: number): Promise<boolean> {
  const table = await execInside(target, ['cat', '/proc/net/tcp', '/proc/net/tcp6']);
  if ('failure' in table) return false;
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return table.stdout.split('\n').some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hexPort} \\S+ 0A `).test(line));
}
