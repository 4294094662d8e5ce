import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broken, eventually } from '../../support/eventually';
import { startLasting, type LastingProcess } from '../lasting-process';
import { askEngine } from './ask-engine';
import { onMachine, runInNetwork, type Command } from '../nodes/network-namespace';
import { socketOf, type EnginePlace } from './engine-place';
import { clearRemains, endContainerd, endOutlived } from './engine-remains';
import { keepFirewall, letThrough, restoreFirewall } from './firewall';

/** Gracefully; its daemons and shims at once, which containers outlive; or those along with whatever ran in containers. */
export type EngineEnd = 'SIGTERM' | 'SIGKILL' | 'power failure';

export interface PrivateEngine {
  readonly host: string;
  /** Ends it and leaves everything else to the next `begin`. */
  end(how: EngineEnd): Promise<void>;
  /** Starts it again on its data; resolves as soon as it answers. */
  begin(): Promise<void>;
  /** Ends it for good; only its data stays, as the cache of images. */
  close(): Promise<void>;
}

/**
 * Starts an engine of our own: socket, data, bridge and address pools of its own, so it does not meet another engine on
 * this machine.
 */
export async function startPrivateEngine(place: EnginePlace, say: (line: string) => void): Promise<PrivateEngine> {
  mkdirSync(place.home, { recursive: true });
  const host = `unix://${socketOf(place)}`;
  let daemon = await begin(place, host);
  say(`private engine at ${host}`);
  const end = async (how: EngineEnd): Promise<void> => {
    await daemon.stop(how === 'SIGTERM' ? how : 'SIGKILL', 60_000);
    if (how !== 'SIGTERM') await endOutlived(place, how === 'SIGKILL' ? 'daemons' : 'all');
  };
  return {
    host,
    end,
    begin: async () => void (daemon = await begin(place, host)),
    close: async () => {
      await end('SIGTERM');
      await clear(place);
    },
  };
}

/** Ends an engine whose starter is gone, if it still runs, and takes away all that it has left, data included. */
export async function clearPrivateEngine(place: EnginePlace): Promise<void> {
  await endOutlived(place, 'all');
  await clear(place);
  rmSync(place.home, { recursive: true, force: true });
}

async function clear(place: EnginePlace): Promise<void> {
  await makeWay(place);
  await clearRemains(place);
  if (!place.machine?.namespace) await restoreFirewall(place.home, place.network.bridge);
}

async function begin(place: EnginePlace, host: string): Promise<LastingProcess> {
  await makeWay(place);
  // The packet filter of a network of its own goes with that network.
  if (!place.machine?.namespace) await (place.ownFilter ? keepFirewall(place.home) : letThrough(place.network));
  await makeBridge(place);
  const command: Command = ['dockerd', ...daemonArguments(place, host)];
  const [file, ...args] = place.machine === undefined ? command : onMachine(place.machine, command);
  const daemon = startLasting(place.processes, {
    name: 'dockerd',
    file,
    args,
    logFile: join(place.home, 'dockerd.log'),
  });
  await answers(host, daemon);
  return daemon;
}

function daemonArguments({ home, network, ownFilter }: EnginePlace, host: string): string[] {
  // The machine's own file is for the machine's own engine.
  const config = join(home, 'daemon.json');
  writeFileSync(config, '{}\n');
  return [
    ...['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '--pidfile', join(home, 'dockerd.pid')],
    ...['--config-file', config, '--host', host, '--log-level', 'warn'],
    ...['--bridge', network.bridge, '--default-address-pool', network.pool],
    ...['--containerd-namespace', network.bridge, '--containerd-plugins-namespace', `${network.bridge}-plugins`],
    ...(ownFilter ? [] : ['--iptables=false', '--ip6tables=false']),
  ];
}

async function answers(host: string, daemon: LastingProcess): Promise<void> {
  const ping = async () => {
    if (!daemon.running()) throw new Broken(`dockerd ended: ${daemon.lines().slice(-5).join('\n')}`);
    return (await askEngine(host, '/_ping'))?.status === 200;
  };
  await eventually('the private engine answers', ping);
}

/**
 * What stands in the way of a start after a crash. Its state stays: by that the new engine finds the containers that
 * outlived the old one, and ends them.
 */
async function makeWay({ home, network, machine }: EnginePlace): Promise<void> {
  await endContainerd(home);
  await runInNetwork(machine?.namespace ?? null, 'ip', 'link', 'delete', network.bridge).catch(() => undefined);
  // dockerd would take a number that the system has given to somebody else, or not yet collected, for itself.
  for (const remains of ['docker.sock', 'dockerd.pid']) rmSync(join(home, remains), { force: true });
}

async function makeBridge({ network: { bridge, bridgeAddress }, machine }: EnginePlace): Promise<void> {
  const ip = (...args: string[]): Promise<string> => runInNetwork(machine?.namespace ?? null, 'ip', ...args);
  await ip('link', 'add', 'name', bridge, 'type', 'bridge');
  await ip('address', 'add', bridgeAddress, 'dev', bridge);
  await ip('link', 'set', bridge, 'up');
}
