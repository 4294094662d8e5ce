import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import { run } from '../command';
import { unmountBelow } from '../mounts';
import { identityOf, sendSignal } from '../process-identity';
import type { EnginePlace } from './engine-place';

/** Whatever is left of an ended engine, except its data: processes, mounts, bridges. */
export async function clearRemains(place: EnginePlace): Promise<void> {
  await endOutlived(place, 'all');
  // A crash leaves the data directory mounted on itself, and even a graceful end some network namespaces.
  await unmountBelow(place.home);
  for (const bridge of bridgesOf(place.home)) await run('ip', ['link', 'delete', bridge]);
  rmSync(join(place.home, 'exec'), { recursive: true, force: true });
}

/** dockerd takes its containerd along, unless it was killed. */
export async function endContainerd(home: string): Promise<void> {
  await endAll(processesWhere((args) => args.includes(containerdConfig(home))));
}

/**
 * By SIGKILL what belongs to this engine and no other: its daemons and shims, known by the path or the namespace in their
 * arguments, and for `all` also what ran in containers, known by the control group.
 */
export async function endOutlived({ home, network }: EnginePlace, which: 'daemons' | 'all'): Promise<void> {
  const names = [containerdConfig(home), network.bridge];
  const isDaemon = (file = ''): boolean => /^(.*\/)?(dockerd|containerd|containerd-shim[^/]*)$/.test(file);
  await endAll(processesWhere((args) => isDaemon(args[0]) && names.some((name) => args.includes(name))));
  if (which === 'daemons') return;
  const containers = entries(join(home, 'data/containers'));
  await endAll(processesWhere((_, group) => containers.some((id) => group.includes(id))));
}

function containerdConfig(home: string): string {
  return join(home, 'exec/containerd/containerd.toml');
}

function processesWhere(isOurs: (args: string[], controlGroup: string) => boolean): number[] {
  const pids = entries('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => isOurs(told(pid, 'cmdline').split('\0'), told(pid, 'cgroup'))).map(Number);
}

/** Empty for a process that is gone by now. */
function told(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

async function endAll(pids: number[]): Promise<void> {
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
  await eventually(`processes ${pids.join(', ')} end`, () => pids.every((pid) => identityOf(pid) === null));
}

/** The engine keeps the bridges of networks when it ends; in its store it has the networks' ids, by which they are named. */
function bridgesOf(home: string): string[] {
  const store = join(home, 'data/network/files/local-kv.db');
  if (!existsSync(store)) return [];
  const known = readFileSync(store, 'latin1');
  return entries('/sys/class/net').filter((name) => /^br-[0-9a-f]{12}$/.test(name) && known.includes(name.slice(3)));
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
