import { BOUNDS } from '../domain/bounds';
import { connect } from 'node:net';
import type { Probe, ProbeTarget } from './probe';
import { healthy, notYet } from './probe';
import { listenersIn } from './listening';

const ANSWER_WITHIN_MS = BOUNDS.probeAnswer.ms;

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
  const ports = await listenersIn(target);
  return 'listeners' in ports && ports.listeners.some((listener) => listener.port === port);
}
