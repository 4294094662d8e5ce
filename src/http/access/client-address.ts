import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Networks that lead nowhere (RFC 1918, RFC 4193): where a proxy in another container comes from. */
const NEAR = new BlockList();
NEAR.addSubnet('10.0.0.0', 8, 'ipv4');
NEAR.addSubnet('172.16.0.0', 12, 'ipv4');
NEAR.addSubnet('192.168.0.0', 16, 'ipv4');
NEAR.addSubnet('fc00::', 7, 'ipv6');

/**
 * Who asks. A proxy nearby is believed whom it names last in X-Forwarded-For: else one stranger who guesses would lock out all
 * that come through it. From elsewhere, this host included, the header is anybody's word.
 */
export function clientAddress({
  socket,
  headers,
}: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string } }): string {
  const peer = (socket.remoteAddress ?? '0.0.0.0').replace(/^::ffff:(?=\d+\.)/, '');
  const told =
    String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .at(-1)
      ?.trim() ?? '';
  const isNear = NEAR.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4');
  return isNear && isIP(told) !== 0 ? told : peer;
}
