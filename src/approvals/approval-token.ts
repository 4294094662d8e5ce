import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Update } from '../domain/update';
import type { Secret } from '../lib/secret';

/** What a link speaks of, and nothing else: one update of one container, from one digest to one digest, until a time. */
export interface ApprovalClaims {
  update: string;
  container: string;
  /** The digest that ran when it was offered; null: the image was built here. */
  from: string | null;
  to: string;
  /** ISO 8601. */
  expiresAt: string;
}

const PURPOSE = 'diun-pilot approval 1';
const LONGEST_TOKEN = 200;
const MAC_BYTES = 32;

/** What was offered to a person; null for an update that never was. */
export function claimsOf({ id, approval, container, from, to }: Update): ApprovalClaims | null {
  if (approval === null || container === null || to.digest === null) return null;
  return { update: id, container, from: from?.digest ?? null, to: to.digest, expiresAt: approval.expiresAt };
}

/**
 * A token that admits to its update: the update's id and the HMAC-SHA256 of all the claims by the first of the secrets,
 * in base64url. The claims themselves are in the database: so a link is short, and tells nothing to who reads it.
 */
export function signApproval(secrets: readonly Secret[], claims: ApprovalClaims): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign with');
  return `${claims.update}.${macOf(secret, claims).toString('base64url')}`;
}

/** The update that a token claims to be of; null: it is no token. Nothing is proven by it. */
export function updateIdIn(token: string): string | null {
  return parse(token)?.id ?? null;
}

/**
 * Whether one of the secrets has signed just these claims, for this purpose. Every secret is tried, and compared in
 * constant time. Expiry is not judged here: the state in the database decides, the signature only admits.
 */
export function isSigned(secrets: readonly Secret[], token: string, claims: ApprovalClaims): boolean {
  const parsed = parse(token);
  if (parsed === null || parsed.id !== claims.update) return false;
  return secrets.map((secret) => timingSafeEqual(macOf(secret, claims), parsed.mac)).some((equal) => equal);
}

/** One spelling only: base64url ignores trailing bits, and an altered token must not be another spelling of a right one. */
function parse(token: string): { id: string; mac: Buffer } | null {
  const [, id = '', text = ''] = (token.length > LONGEST_TOKEN ? null : /^(\w+)\.([\w-]+)$/.exec(token)) ?? [];
  const mac = Buffer.from(text, 'base64url');
  return mac.length === MAC_BYTES && mac.toString('base64url') === text ? { id, mac } : null;
}

/** A key of its own for this purpose (HKDF, RFC 5869), so that nothing signed elsewhere with the secret is a token. */
function macOf(secret: Secret, { update, container, from, to, expiresAt }: ApprovalClaims): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', PURPOSE, 32));
  return createHmac('sha256', key)
    .update(JSON.stringify([PURPOSE, update, container, from, to, expiresAt]))
    .digest();
}
