import { connect } from 'node:net';
import { BOUNDS } from '../domain/bounds';
import { heldSockets, LISTENING, LIST_LISTENERS } from '../domain/health/probe-commands';
import { execInside, wasRun } from './exec-probe';
import { type Answer, healthy, notYet, type Probe, type ProbeTarget } from './probe';

const ANSWER_WITHIN_MS = BOUNDS.probeAnswer.ms;

/** Something accepts connections on the port: asked over a shared network, else read from `/proc/net` inside. */
export function tcpProbe(target: ProbeTarget, port: number): Probe {
  return {
    question: `tcp://:${port}`,
    ask: async () => {
      for (const address of target.addresses) {
        if (await accepts(address, port)) return judgeTcp(port, true);
      }
      return (await listensInside(target, port)) ? healthy(`port ${port} is listened on`) : judgeTcp(port, false);
    },
  };
}

export function judgeTcp(port: number, open: boolean): Answer {
  return open ? healthy(`port ${port} accepts connections`) : notYet(`nothing accepts connections on port ${port}`);
}

export function accepts(host: string, port: number): Promise<boolean> {
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

/** 127.0.0.11, as the tables write it: Docker's resolver, in every container of a network that a person made (measured). */
const DOCKER_RESOLVER = '0B00007F';

/** A listening socket of the container's network namespace; `inode` is what a process's open file names. */
export interface Listener {
  port: number;
  inode: string;
}

export type Listeners = { listeners: Listener[] } | { failure: string };

/**
 * What is listened on in the container's network namespace, but for Docker's own resolver; asked inside, so that no
 * network has to be shared with it. `failure`: it cannot tell. Filtered inside, since a busy server's table is longer
 * than what `exec` keeps.
 */
export async function listenersIn(target: ProbeTarget): Promise<Listeners> {
  const found = await execInside(target, LIST_LISTENERS.grep);
  const table = wasRun(found) ? found : await execInside(target, LIST_LISTENERS.cat);
  return 'failure' in table ? table : { listeners: listenersOf(table.stdout) };
}

/** The same, without those of other containers in that namespace: only sockets that its own processes hold open count. */
export async function ownListeners(target: ProbeTarget): Promise<Listeners> {
  const all = await listenersIn(target);
  if ('failure' in all || all.listeners.length === 0) return all;
  // What runs as another user may not be looked at: nginx holds its sockets as root, too.
  const held = await execInside(target, heldSockets(all.listeners.map(({ inode }) => inode)));
  if ('failure' in held) return held;
  if (held.exitCode !== 0) return { failure: `it has no shell to ask which sockets are its own (${held.exitCode})` };
  return { listeners: all.listeners.filter(({ inode }) => held.stdout.includes(`socket:[${inode}]`)) };
}

export function portsOf(listeners: Listener[]): number[] {
  return [...new Set(listeners.map(({ port }) => port))].sort((a, b) => a - b);
}

function listenersOf(table: string): Listener[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTENING)
    .map((fields) => ({ fields, local: (fields[1] ?? '').split(':') }))
    .filter(({ local: [address] }) => address !== DOCKER_RESOLVER)
    .map(({ fields, local: [, port = ''] }) => ({
      port: parseInt(port, 16),
      inode: /^\d+$/.exec(fields[9] ?? '')?.[0] ?? '0',
    }))
    .filter(({ port }) => port > 0);
}
