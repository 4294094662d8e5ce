import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

// IANA's registries of special-purpose addresses (RFC 6890 and its successors): all that is not the public internet.
const SPECIAL_4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;
const GLOBAL_UNICAST_6 = ['2000::', 3] as const;
/** Inside it: protocol assignments with Teredo, documentation, 6to4 (which names an IPv4 address), segment routing. */
const SPECIAL_6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const special = new BlockList();
for (const [network, prefix] of SPECIAL_4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of SPECIAL_6) special.addSubnet(network, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet(...GLOBAL_UNICAST_6, 'ipv6');

/** Whether an address is on the public internet: not loopback, private, link-local, multicast or otherwise reserved. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !special.check(address, 'ipv4');
  if (version !== 6 || address.includes('%')) return false;
  const inner = embeddedIpv4(address);
  if (inner !== null) return isPublicAddress(inner);
  return globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** Of an IPv4-mapped address (`::ffff:…`) and of NAT64 (`64:ff9b::…`, RFC 6052), by which IPv6-only hosts reach IPv4. */
function embeddedIpv4(address: string): string | null {
  const host = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const match = /^(?:::ffff:|64:ff9b::)(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/.exec(host);
  if (match === null) return null;
  const [high, low] = [parseInt(match[1] ?? '0', 16), parseInt(match[2] ?? '0', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for a connection that checks every address that the name resolves to, so that no name can lead to another address
 * between the check and the connection. `check` throws for an address that may not be dialled. A literal address is dialled
 * without a lookup: its caller must check it.
 */
export function checkedLookup(check: (address: string) => void, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        return done(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
      }
      try {
        for (const { address } of addresses) check(address);
      } catch (refusal) {
        return done(refusal as Error, '');
      }
      if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}
