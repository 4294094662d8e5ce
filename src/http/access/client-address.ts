import type { RequestHandler, Response } from 'express';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { TrustedProxies } from './trusted-proxies';

interface Locals {
  address?: string;
}

type Asked = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string } };

/** Notes once for each request which address it comes from, for limits by address. */
export function noteAddress(proxies: TrustedProxies): RequestHandler {
  return async (request, response, next) => {
    (response.locals as Locals).address = await clientAddress(request, proxies);
    next();
  };
}

/** The address that a request comes from. */
export function addressOf(response: Response): string {
  return (response.locals as Locals).address ?? '0.0.0.0';
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
export function peerOf({ socket }: Asked): string {
  return plain(socket.remoteAddress ?? '0.0.0.0');
}

/** An IPv4 address that arrived on a socket for both families is written as IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
