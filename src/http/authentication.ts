import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../lib/secret';

/**
 * Whether an Authorization header carries one of the tokens. Both sides go through SHA-256, so that the comparison
 * takes the same time whatever the lengths, and every token is compared.
 */
export function carriesToken(header: string | undefined, tokens: Secret[], form: 'bearer' | 'bearer or bare'): boolean {
  const presented = presentedToken(header ?? '', form);
  if (presented === null) return false;
  // Node reads header bytes as latin1: take the bytes back, so that a token in UTF-8 compares equal.
  const digest = sha256(Buffer.from(presented, 'latin1'));
  return tokens
    .map((token) => timingSafeEqual(digest, sha256(Buffer.from(token.reveal(), 'utf8'))))
    .some((equal) => equal);
}

function presentedToken(header: string, form: 'bearer' | 'bearer or bare'): string | null {
  const bearer = /^bearer +(.*)$/i.exec(header)?.[1]?.trim();
  const token = bearer ?? (form === 'bearer or bare' ? header.trim() : '');
  return token === '' ? null : token;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
