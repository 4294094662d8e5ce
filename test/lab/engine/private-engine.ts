import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { attempt, run } from '../command';
import { startLasting, type LastingProcess } from '../lasting-process';
import { unmountBelow } from '../mounts';
import { askEngine } from './ask-engine';
import { keepFirewall, restoreFirewall } from './firewall';

export interface PrivateEngine {
  host: string;
  close(): Promise<void>;
}

/**
 * Starts an engine of our own under `dir`: socket, data, bridge and address pools of its own, so it does not meet another
 * engine on this machine. Its data is kept between runs, as the cache of images.
 */
export async function startPrivateEngine(dir: string, say: (line: string) => void): Promise<PrivateEngine> {
  const home = join(dir, 'engine');
  mkdirSync(home, { recursive: true });
  const socket = socketPath(home);
  const network = networkOf(dir);
  await makeWay(home, network);
  await keepFirewall(home);
  await makeBridge(network);
  const daemon = startLasting(dir, {
    name: 'dockerd',
    file: 'dockerd',
    args: daemonArguments(home, socket, network),
    logFile: join(home, 'dockerd.log'),
  });
  const host = `unix://${socket}`;
  await answers(host, daemon);
  say(`private engine at ${host}`);
  return { host, close: () => close(home, network, daemon) };
}

interface Network {
  bridge: string;
  bridgeAddress: string;
  pool: string;
}

/** Differs by folder, so that two private engines in two folders do not share a bridge. */
function networkOf(dir: string): Network {
  const digest = createHash('sha256').update(dir).digest();
  const second = 200 + ((digest[0] ?? 0) % 50);
  return {
    bridge: `dplab-${digest.toString('hex', 0, 4)}`,
    bridgeAddress: `10.${second}.255.1/24`,
    pool: `base=10.${second}.0.0/17,size=24`,
  };
}

function socketPath(home: string): string {
  const path = join(home, 'docker.sock');
  // The kernel's limit for a socket's path is 107 characters.
  if (path.length > 107) throw new Error(`LAB_DIR is too long: ${path} exceeds the 107 characters of a socket's path`);
  return path;
}

function daemonArguments(home: string, socket: string, network: Network): string[] {
  return [
    ...['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '--pidfile', join(home, 'dockerd.pid')],
    ...['--host', `unix://${socket}`, '--bridge', network.bridge, '--default-address-pool', network.pool],
    ...['--containerd-namespace', network.bridge, '--containerd-plugins-namespace', `${network.bridge}-plugins`],
    ...['--log-level', 'warn'],
  ];
}

async function answers(host: string, daemon: LastingProcess): Promise<void> {
  const ping = async () => {
    if (!daemon.running()) throw new Broken(`dockerd ended: ${daemon.lines().slice(-5).join('\n')}`);
    return (await askEngine(host, '/_ping'))?.status === 200;
  };
  await eventually('the private engine answers', ping, { timeoutMs: 60_000, everyMs: 100 });
}

async function close(home: string, network: Network, daemon: LastingProcess): Promise<void> {
  await daemon.stop('SIGTERM', 60_000);
  await clearRemains(home, network);
  await restoreFirewall(home, network.bridge);
}

/**
 * What stands in the way of a start after a crash. Its state stays: by that the new engine finds the containers that
 * outlived the old one, and ends them.
 */
async function makeWay(home: string, network: Network): Promise<void> {
  await endContainerd(join(home, 'exec/containerd/containerd.pid'));
  await attempt('ip', ['link', 'delete', network.bridge]);
  // dockerd would take a number that the system has given to somebody else, or not yet collected, for itself.
  for (const remains of ['docker.sock', 'dockerd.pid']) rmSync(join(home, remains), { force: true });
}

/** Whatever is left of an ended engine, except its data. */
async function clearRemains(home: string, network: Network): Promise<void> {
  await makeWay(home, network);
  // A crash leaves the data directory mounted on itself, and even a graceful end some network namespaces.
  await unmountBelow(home);
  rmSync(join(home, 'exec'), { recursive: true, force: true });
}

/** dockerd takes its containerd along, unless it was killed. */
async function endContainerd(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = readFileSync(pidFile, 'utf8').trim();
  const commandLine = `/proc/${pid}/cmdline`;
  const ours = () =>
    existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(pidFile.replace('.pid', '.toml'));
  if (!ours()) return;
  process.kill(Number(pid), 'SIGKILL');
  await eventually('containerd of the last run ends', () => !ours());
}

async function makeBridge({ bridge, bridgeAddress }: Network): Promise<void> {
  await run('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', bridgeAddress, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}
