import { existsSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { attempt, run } from '../command';
import { DockerCli } from '../engine/docker-cli';
import { nodePlace, nodesNetwork, type EnginePlace } from '../engine/engine-place';
import { letThrough, removeRulesAbout } from '../engine/firewall';
import { clearPrivateEngine, startPrivateEngine, type PrivateEngine } from '../engine/private-engine';
import type { Lab } from '../lab';
import { startLasting, type LastingProcess } from '../lasting-process';
import { Registry } from '../registry/registry';
import { addNamespace, inNetwork, removeNamespace } from './network-namespace';

/** One engine with a host name and, but for the first, a network of its own: a machine, as far as a Swarm sees. */
export interface Node {
  readonly name: string;
  /** In the network that connects the nodes, and that the lab is in. */
  readonly address: string;
  readonly engine: PrivateEngine;
  readonly docker: DockerCli;
  /** The lab's registry can be reached from the start; that of the first node always. */
  reachRegistry(yes: boolean): Promise<void>;
}

export interface Nodes {
  readonly nodes: readonly Node[];
  /** The lab, as the first node sees it. */
  readonly lab: Lab;
  close(): Promise<void>;
}

const MOST = 5;

/** Starts one engine for each name, none of them in a Swarm yet. The first is in the lab's own network, with diun-pilot. */
export async function openNodes(lab: Lab, names: readonly string[]): Promise<Nodes> {
  await clearNodes(lab.dir);
  const { bridge, range, addressOf } = nodesNetwork(lab.dir);
  await run('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${addressOf(0)}/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  await letThrough({ bridge, range });
  const door = await registryDoor(lab);
  const nodes: Node[] = [];
  for (const [index, name] of names.entries()) {
    const place = nodePlace(lab.dir, index, name);
    const namespace = place.machine?.namespace ?? null;
    const address = addressOf(index);
    if (namespace !== null)
      await addNamespace(namespace, { bridge, cable: `${bridge}${index}`, address: `${address}/24` });
    const engine = await startPrivateEngine(place, () => undefined);
    const registry = namespace === null ? null : registryWay(lab, place, namespace, door.socket);
    await registry?.(true);
    nodes.push({
      ...{ name, address, engine },
      docker: new DockerCli(lab.docker.path, engine.host),
      reachRegistry: registry ?? (() => Promise.resolve()),
    });
  }
  const [{ docker }] = nodes as [Node];
  return {
    nodes,
    lab: { ...lab, docker, viewHost: docker.host, registry: new Registry(lab.registry.address, lab.docker, docker) },
    close: async () => {
      for (const node of nodes.toReversed()) await node.engine.close();
      door.close();
      await clearNodes(lab.dir);
    },
  };
}

/** What a test that died left of them, once its processes have been ended. */
export async function clearNodes(dir: string): Promise<void> {
  for (let index = 0; index < MOST; index++) {
    const place = nodePlace(dir, index, '');
    if (existsSync(place.home)) await clearPrivateEngine(place);
    if (place.machine?.namespace) await removeNamespace(place.machine.namespace);
  }
  const { bridge } = nodesNetwork(dir);
  if (!existsSync(`/sys/class/net/${bridge}`) && (await attempt('ip', ['link', 'show', bridge])).code !== 0) return;
  await removeRulesAbout(bridge);
  await attempt('ip', ['link', 'delete', bridge]);
}

/** The registry is on the loopback device of the lab's network; a socket in a folder is in reach of every network. */
async function registryDoor(lab: Lab): Promise<{ socket: string; close(): void }> {
  const [host, port] = lab.registry.address.split(':') as [string, string];
  const socket = join(lab.scratch('door'), 'registry.sock');
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return { socket, close: () => void server.close() };
}

const RELAY = `const { createServer, connect } = require('node:net');
const [, port, socket] = process.argv;
createServer((client) => {
  const upstream = connect(socket);
  for (const [from, to] of [[client, upstream], [upstream, client]]) { from.on('error', () => to.destroy()); from.pipe(to); }
}).listen(Number(port), '127.0.0.1');`;

/** The same address in the network of the node: an engine accepts plain HTTP on loopback only. */
function registryWay(
  lab: Lab,
  { processes, home }: EnginePlace,
  namespace: string,
  socket: string,
): (yes: boolean) => Promise<void> {
  let relay: LastingProcess | null = null;
  return async (yes) => {
    await relay?.stop('SIGKILL');
    relay = null;
    if (!yes) return;
    const port = lab.registry.address.split(':')[1] ?? '';
    const [file, ...args] = inNetwork(namespace, [process.execPath, '-e', RELAY, port, socket]);
    const logFile = join(home, 'registry-way.log');
    relay = startLasting(processes, { name: 'the way to the registry', file, args, logFile });
  };
}
