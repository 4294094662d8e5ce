import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { RequestHandler, Response } from 'express';
import { messageOf, PilotError } from '../../domain/errors';
import type { DecidedBy } from '../../domain/update';
import { isDue, type Clock } from '../../lib/clock';
import type { Logger } from '../../lib/logger';
import { printableLine } from '../../lib/printable';

interface AddressLocals {
  address?: string;
}

type Asked = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string } };

/** Notes once for each request which address it comes from, for limits by address. */
export function noteAddress(proxies: TrustedProxies): RequestHandler {
  return async (request, response, next) => {
    (response.locals as AddressLocals).address = await clientAddress(request, proxies);
    next();
  };
}

/** The address that a request comes from. */
export function addressOfClient(response: Response): string {
  return (response.locals as AddressLocals).address ?? '0.0.0.0';
}

/**
 * The peer of the connection; behind a listed proxy (`PILOT_TRUSTED_PROXY`) the last address of X-Forwarded-For, which is
 * the one that this proxy saw. From any other peer the header proves nothing: every client can send it.
 */
export async function clientAddress(request: Asked, proxies: TrustedProxies): Promise<string> {
  const { headers } = request;
  const peer = peerOf(request);
  const forwarded = headers['x-forwarded-for'];
  if (forwarded === undefined) return peer;
  const last = plain(String(forwarded).split(',').at(-1)?.trim() ?? '');
  return isIP(last) !== 0 && (await proxies.include(peer)) ? last : peer;
}

/** The address at the other end of the connection. */
function peerOf({ socket }: Asked): string {
  return plain(socket.remoteAddress ?? '0.0.0.0');
}

/** An IPv4 address that arrived on a socket for both families is written as IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** How long the addresses of a name are used before the name is resolved again. */
const FRESH_MS = 5_000;

interface TrustedProxies {
  /** Whether the operator has listed this address, its network or a name that resolves to it. */
  include(address: string): Promise<boolean>;
}

type Family = 4 | 6;

interface Parts {
  clock: Clock;
  logger: Logger;
  resolve?: (name: string, family: Family) => Promise<string[]>;
}

/** The proxies of `PILOT_TRUSTED_PROXY`: addresses, networks (`10.1.2.0/24`) and names, such as that of a container. */
export function createTrustedProxies(listed: readonly string[], parts: Parts): TrustedProxies {
  const fixed = new BlockList();
  const names = listed.filter((each) => !addTo(fixed, each));
  const resolved = { 4: createResolved(names, 4, parts), 6: createResolved(names, 6, parts) };
  return {
    include: async (address) => {
      const family = isIP(address);
      if (family !== 4 && family !== 6) return false;
      if (fixed.check(address, family === 6 ? 'ipv6' : 'ipv4')) return true;
      return names.length > 0 && (await resolved[family]()).has(address);
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
  family: Family,
  { clock, logger, resolve = addressesOf }: Parts,
): () => Promise<Set<string>> {
  let last: { at: number; addresses: Promise<Set<string>> } | null = null;
  const ask = async (name: string): Promise<string[]> => {
    try {
      return await resolve(name, family);
    } catch (error) {
      logger.warn('a trusted proxy has no address now, so its word does not count', { name, error: messageOf(error) });
      return [];
    }
  };
  return () => {
    const now = clock.now().getTime();
    if (last === null || isDue(last.at + FRESH_MS, now, FRESH_MS)) {
      last = { at: now, addresses: Promise.all(names.map(ask)).then((all) => new Set(all.flat())) };
    }
    return last.addresses;
  };
}

/**
 * Only for the family of the peer: Docker's name server answers for a container at once, and hands a question for a family
 * that the network does not have on to a name server that may be away.
 */
async function addressesOf(name: string, family: Family): Promise<string[]> {
  return (await lookup(name, { all: true, family })).map(({ address }) => address);
}

const MOST_CHARACTERS = 100;

interface PersonLocals {
  person?: string;
}

/**
 * Notes who uses the page or the API: the name in `Remote-User`, as Authelia, Authentik and oauth2-proxy send it through a
 * proxy of `PILOT_TRUSTED_PROXY`. From any other peer the header is refused (`person_not_trusted`): every client can send it.
 * It only names the person. The page's password is still needed, because a listed proxy may hand on what a client sent.
 */
export function notePerson(proxies: TrustedProxies): RequestHandler {
  return async (request, response, next) => {
    const name = nameInHeader(request.headers['remote-user']);
    if (name === null) return next();
    if (!(await proxies.include(peerOf(request)))) return next(notTrusted());
    (response.locals as PersonLocals).person = name;
    next();
  };
}

/** Who decides on the operator page. */
export function personOf(response: Response): Extract<DecidedBy, 'page' | `page:${string}`> {
  const { person } = response.locals as PersonLocals;
  return person === undefined ? 'page' : `page:${person}`;
}

/** Node reads headers as Latin-1; proxies send UTF-8. Null: no name. */
function nameInHeader(header: string | string[] | undefined): string | null {
  const name = printableLine(Buffer.from(String(header ?? ''), 'latin1').toString('utf8'));
  return name === '' ? null : [...name].slice(0, MOST_CHARACTERS).join('');
}

function notTrusted(): PilotError {
  return new PilotError(
    'person_not_trusted',
    'The request has a Remote-User header, but does not come from a proxy of PILOT_TRUSTED_PROXY, so nothing was done. List the address or name of that proxy, or let it remove the header.',
  );
}
