import type { Secret } from '../lib/secret';
import { isSignedBy, macOf } from '../lib/signing';

const LONGEST_TOKEN = 200;
const MAC_BYTES = 32;

/** What a token speaks of, in a fixed order; the first is the id that stands in it. */
export type TokenParts = readonly [id: string, ...more: (string | null)[]];

/** `ID.MAC`: the id in the open, and the HMAC-SHA256 of all parts by the first of the secrets, in base64url. */
export function signToken(secrets: readonly Secret[], purpose: string, parts: TokenParts): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign with');
  return `${parts[0]}.${macOf(secret, purpose, contentOf(purpose, parts)).toString('base64url')}`;
}

/** The update that a token claims to belong to; null: not a token. It proves nothing. */
export function updateIdIn(token: string): string | null {
  return parse(token)?.id ?? null;
}

/** Every secret is tried, and compared in constant time. */
export function isSignedToken(secrets: readonly Secret[], purpose: string, token: string, parts: TokenParts): boolean {
  const parsed = parse(token);
  if (parsed === null || parsed.id !== parts[0]) return false;
  return isSignedBy(secrets, purpose, contentOf(purpose, parts), parsed.mac);
}

/** One spelling only: base64url ignores trailing bits, and an altered token must not be another spelling of a right one. */
function parse(token: string): { id: string; mac: Buffer } | null {
  const [, id = '', text = ''] = (token.length > LONGEST_TOKEN ? null : /^(\w+)\.([\w-]+)$/.exec(token)) ?? [];
  const mac = Buffer.from(text, 'base64url');
  return mac.length === MAC_BYTES && mac.toString('base64url') === text ? { id, mac } : null;
}

function contentOf(purpose: string, parts: TokenParts): string {
  return JSON.stringify([purpose, ...parts]);
}
