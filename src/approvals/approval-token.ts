import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
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
const LONGEST_TOKEN = 2_000;
const MAC_BYTES = 32;

const claimsSchema = z.strictObject({
  p: z.literal(PURPOSE),
  u: z.string(),
  c: z.string(),
  f: z.string().nullable(),
  t: z.string(),
  e: z.iso.datetime(),
});

/** A token that admits to its update: the claims and their HMAC-SHA256, both in base64url, by the first of the secrets. */
export function signApproval(secrets: readonly Secret[], claims: ApprovalClaims): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no secret to sign with');
  const { update: u, container: c, from: f, to: t, expiresAt: e } = claims;
  const payload = Buffer.from(JSON.stringify({ p: PURPOSE, u, c, f, t, e }));
  return `${payload.toString('base64url')}.${macOf(secret, payload).toString('base64url')}`;
}

/**
 * The claims of a token that one of the secrets has signed for this purpose, else null. The bytes are verified before
 * they are read. Expiry is not judged here: the state in the database decides, the signature only admits.
 */
export function verifyApproval(secrets: readonly Secret[], token: string): ApprovalClaims | null {
  const parts = token.length > LONGEST_TOKEN ? null : /^([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null) return null;
  const payload = decoded(parts[1]);
  const mac = decoded(parts[2]);
  if (payload === null || mac?.length !== MAC_BYTES) return null;
  const signed = secrets.map((secret) => timingSafeEqual(macOf(secret, payload), mac)).some((equal) => equal);
  return signed ? readClaims(payload) : null;
}

/** One spelling only: base64url ignores trailing bits, and an altered token must not be another spelling of a right one. */
function decoded(text = ''): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function readClaims(payload: Buffer): ApprovalClaims | null {
  const read = claimsSchema.safeParse(JSON.parse(payload.toString('utf8')));
  if (!read.success) return null;
  const { u: update, c: container, f: from, t: to, e: expiresAt } = read.data;
  return { update, container, from, to, expiresAt };
}

/** A key of its own for this purpose (HKDF, RFC 5869), so that nothing signed elsewhere with the secret is a token. */
function macOf(secret: Secret, payload: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret.reveal(), '', PURPOSE, 32));
  return createHmac('sha256', key).update(payload).digest();
}
