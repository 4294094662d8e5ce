import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, run } from '../command';

const NAMESPACES = '/run/netns';

/** A program and its arguments, to be started on another machine: in another network, under another host name. */
export type Command = [file: string, ...args: string[]];

/** What makes a process believe that it runs on another machine; `namespace` is null for one in the lab's own network. */
export interface Machine {
  hostname: string;
  namespace: string | null;
}

/** The same command on that machine. It is replaced by the program at once: its process ID is that of the program. */
export function onMachine({ hostname, namespace }: Machine, command: Command): Command {
  const named: Command = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', hostname, ...command];
  return inNetwork(namespace, named);
}

/** `ip netns exec` would hide the control groups from an engine, as it mounts /sys again. */
export function inNetwork(namespace: string | null, command: Command): Command {
  return namespace === null ? command : ['nsenter', `--net=${join(NAMESPACES, namespace)}`, ...command];
}

export async function runInNetwork(namespace: string | null, ...command: Command): Promise<string> {
  const [file, ...args] = inNetwork(namespace, command);
  return run(file, args);
}

/** A network of its own with one cable to a bridge of the lab's network. */
export async function addNamespace(
  namespace: string,
  { bridge, cable, address }: { bridge: string; cable: string; address: string },
): Promise<void> {
  await run('ip', ['netns', 'add', namespace]);
  await run('ip', [
    ...['link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns'],
    join(NAMESPACES, namespace),
  ]);
  await run('ip', ['link', 'set', cable, 'master', bridge, 'up']);
  await runInNetwork(namespace, 'ip', 'link', 'set', 'lo', 'up');
  await runInNetwork(namespace, 'ip', 'address', 'add', address, 'dev', 'eth0');
  await runInNetwork(namespace, 'ip', 'link', 'set', 'eth0', 'up');
}

/** Its end of the cable, bridges and rules go with it, once no process is left in it. */
export async function removeNamespace(namespace: string): Promise<void> {
  if (existsSync(join(NAMESPACES, namespace))) await attempt('ip', ['netns', 'delete', namespace]);
}
