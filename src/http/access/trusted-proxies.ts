import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { messageOf } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Logger } from '../../lib/logger';

/** How long the addresses of a name are used before the name is resolved again. */
const FRESH_MS = 5_000;

export interface TrustedProxies {
  /** Whether the operator has listed this address, its network or a name that resolves to it. */
  include(address: string): Promise<boolean>;
}

interface Parts {
  clock: Clock;
  logger: Logger;
  resolve?: (name: string) => Promise<string[]>;
}

/** The proxies of `PILOT_TRUSTED_PROXY`: addresses, networks (`10.1.2.0/24`) and names, such as that of a container. */
export function createTrustedProxies(listed: readonly string[], parts: Parts): TrustedProxies {
  const fixed = new BlockList();
  const names = listed.filter((each) => !addTo(fixed, each));
  const resolved = createResolved(names, parts);
  return {
    include: async (address) => {
      const family = isIP(address);
      if (family === 0) return false;
      if (fixed.check(address, family === 6 ? 'ipv6' : 'ipv4')) return true;
      return names.length > 0 && (await resolved()).has(address);
    },
  };
}

/** False: it is a name. */
function addTo(list: BlockList, entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, type);
  else list.addSubnet(address, Number(bits), type);
  return true;
}

/** A container that was re-created has another address, so names are resolved again and again, but not for each request. */
function createResolved(
  names: readonly string[],
  { clock, logger, resolve = addressesOf }: Parts,
): () => Promise<Set<string>> {
  let last: { at: number; addresses: Promise<Set<string>> } | null = null;
  const ask = async (name: string): Promise<string[]> => {
    try {
      return await resolve(name);
    } catch (error) {
      logger.warn('a trusted proxy has no address now, so its word does not count', { name, error: messageOf(error) });
      return [];
    }
  };
  return () => {
    const now = clock.now().getTime();
    if (last === null || now - last.at >= FRESH_MS) {
      last = { at: now, addresses: Promise.all(names.map(ask)).then((all) => new Set(all.flat())) };
    }
    return last.addresses;
  };
}

/** IPv4 only: Docker's name server answers this for a container at once, and may hand the question for IPv6 on to one that is away. */
async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true, family: 4 })).map(({ address }) => address);
}
