import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { guests } from '../lab';
import type { Machine } from '../nodes/network-namespace';

/** Where a private engine lives: all that it shares with nobody else on this machine. */
export interface EnginePlace {
  /** Its socket, data and log. */
  home: string;
  /** The folder in which its daemon is remembered until it ended. */
  processes: string;
  network: EngineNetwork;
  /** Whether it writes its rules into the machine's packet filter; beside another engine they would replace that one's. */
  ownFilter: boolean;
  /** Left out: it runs in the lab's network, under the name of this machine. */
  machine?: Machine;
}

export interface EngineNetwork {
  bridge: string;
  bridgeAddress: string;
  pool: string;
  /** Holds both of them. */
  range: string;
}

/** The lab's own engine. Differs by folder, so that two labs in two folders do not share a bridge. */
export function labEnginePlace(dir: string): EnginePlace {
  const { digest, second } = of(dir);
  const network = {
    bridge: `dplab-${digest.toString('hex', 0, 4)}`,
    bridgeAddress: `10.${second}.255.1/24`,
    pool: `base=10.${second}.0.0/17,size=24`,
    range: `10.${second}.0.0/16`,
  };
  return { home: join(dir, 'engine'), processes: dir, network, ownFilter: true };
}

/** A single engine, and one for a Swarm: tests of both run at the same time. */
export type OtherKind = 'single' | 'swarm';

const OTHERS = {
  single: { home: 'other-engine', digestAt: 4, bridge: 254, networks: 128 },
  swarm: { home: 'swarm-engine', digestAt: 12, bridge: 251, networks: 160 },
};

/** A second engine, which a test starts beside the lab's own: a guest of the lab, whose end it does not outlive. */
export function otherEnginePlace(dir: string, kind: OtherKind): EnginePlace {
  const { digest, second } = of(dir);
  const { home, digestAt, bridge, networks } = OTHERS[kind];
  const network = {
    bridge: `dplab-${digest.toString('hex', digestAt, digestAt + 4)}`,
    bridgeAddress: `10.${second}.${bridge}.1/24`,
    pool: `base=10.${second}.${networks}.0/19,size=24`,
    range: `10.${second}.128.0/17`,
  };
  return { home: join(dir, home), processes: guests(dir), network, ownFilter: false };
}

/** The nodes of a Swarm: the first takes the place of the Swarm's engine, each other one has a network of its own. */
export function nodePlace(dir: string, index: number, hostname: string): EnginePlace {
  const place = otherEnginePlace(dir, 'swarm');
  if (index === 0) return { ...place, machine: { hostname, namespace: null } };
  const bridge = place.network.bridge.replace('dplab', `dpn${index}`);
  return {
    ...place,
    home: join(dir, `node-${index}`),
    network: { ...place.network, bridge },
    ownFilter: true,
    machine: { hostname, namespace: bridge },
  };
}

/** The one network of containers of Podman. */
export function podmanNetwork(dir: string): Pick<EngineNetwork, 'bridge' | 'range'> {
  const { digest, second } = of(dir);
  return { bridge: `dppod-${digest.toString('hex', 0, 4)}`, range: `10.${second}.252.0/24` };
}

/** The network that connects the nodes, in the lab's own network. */
export function nodesNetwork(dir: string): { bridge: string; range: string; addressOf: (index: number) => string } {
  const { digest, second } = of(dir);
  const addressOf = (index: number): string => `10.${second}.253.${index + 1}`;
  return { bridge: `dplan-${digest.toString('hex', 8, 12)}`, range: `10.${second}.253.0/24`, addressOf };
}

export function socketOf({ home }: EnginePlace): string {
  const path = join(home, 'docker.sock');
  // The kernel's limit for a socket's path is 107 characters.
  if (path.length > 107) throw new Error(`LAB_DIR is too long: ${path} exceeds the 107 characters of a socket's path`);
  return path;
}

function of(dir: string): { digest: Buffer; second: number } {
  const digest = createHash('sha256').update(dir).digest();
  return { digest, second: 200 + ((digest[0] ?? 0) % 50) };
}
