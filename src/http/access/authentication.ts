import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../lib/secret';

/** `basic`: the token is the password, the user name is not looked at. */
export type Scheme = 'bearer' | 'bare' | 'basic';

/**
 * Whether an Authorization header carries one of the tokens. Both sides go through SHA-256, so that the comparison
 * takes the same time whatever the lengths, and every token is compared.
 */
export function carriesToken(header: string | undefined, tokens: Secret[], schemes: readonly Scheme[]): boolean {
  const presented = presentedToken(header ?? '', schemes);
  if (presented === null || presented.length === 0) return false;
  const digest = sha256(presented);
  return tokens
    .map((token) => timingSafeEqual(digest, sha256(Buffer.from(token.reveal(), 'utf8'))))
    .some((equal) => equal);
}

export function isBasic(header: string | undefined): boolean {
  return /^basic /i.test(header ?? '');
}

function presentedToken(header: string, schemes: readonly Scheme[]): Buffer | null {
  const bearer = /^bearer +(.*)$/i.exec(header)?.[1];
  if (bearer !== undefined && schemes.includes('bearer')) return headerBytes(bearer);
  const basic = /^basic +(.*)$/i.exec(header)?.[1];
  if (basic !== undefined && schemes.includes('basic')) return passwordOf(Buffer.from(basic, 'base64'));
  return schemes.includes('bare') ? headerBytes(header) : null;
}

/** After the first colon (RFC 7617): the password itself may have more of them. */
function passwordOf(userAndPassword: Buffer): Buffer | null {
  const colon = userAndPassword.indexOf(':');
  return colon === -1 ? null : userAndPassword.subarray(colon + 1);
}

/** Node reads header bytes as latin1: they are taken back, so that a token in UTF-8 compares equal. */
function headerBytes(text: string): Buffer {
  return Buffer.from(text.trim(), 'latin1');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
