import type { ExecResult } from '../ports/engine';
import { execInside } from './exec-probe';
import type { ProbeTarget } from './probe';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** proc(5). */
const LISTENING = '0A';
/** 127.0.0.11, as the tables write it: Docker's resolver, in every container of a network that a person made (m). */
const DOCKER_RESOLVER = '0B00007F';
/** The shell's and the engine's words for a command that is not there. */
const NO_SUCH_COMMAND = [126, 127];

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
  const found = await execInside(target, ['grep', '-h', ` ${LISTENING} `, ...TABLES]);
  const table = isMissing(found) ? await execInside(target, ['cat', ...TABLES]) : found;
  return 'failure' in table ? table : { listeners: listenersOf(table.stdout) };
}

/** The same, without those of other containers in that namespace: only sockets that its own processes hold open count. */
export async function ownListeners(target: ProbeTarget): Promise<Listeners> {
  const all = await listenersIn(target);
  if ('failure' in all || all.listeners.length === 0) return all;
  const wanted = all.listeners.map(({ inode }) => inode).join('|');
  // What runs as another user may not be looked at: nginx holds its sockets as root, too.
  const look = `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -oE 'socket:\\[(${wanted})\\]' || true`;
  const held = await execInside(target, ['sh', '-c', look]);
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

function isMissing(result: ExecResult | { failure: string }): boolean {
  return 'failure' in result || NO_SUCH_COMMAND.includes(result.exitCode);
}
