import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { guests } from '../lab';

/** Where a private engine lives: all that it shares with nobody else on this machine. */
export interface EnginePlace {
  /** Its socket, data and log. */
  home: string;
  /** The folder in which its daemon is remembered until it ended. */
  processes: string;
  network: EngineNetwork;
  /** Whether it writes its rules into the machine's packet filter; beside another engine they would replace that one's. */
  ownFilter: boolean;
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

/** A second engine, which a test starts beside the lab's own: a guest of the lab, whose end it does not outlive. */
export function otherEnginePlace(dir: string): EnginePlace {
  const { digest, second } = of(dir);
  const network = {
    bridge: `dplab-${digest.toString('hex', 4, 8)}`,
    bridgeAddress: `10.${second}.254.1/24`,
    pool: `base=10.${second}.128.0/18,size=24`,
    range: `10.${second}.128.0/17`,
  };
  return { home: join(dir, 'other-engine'), processes: guests(dir), network, ownFilter: false };
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
