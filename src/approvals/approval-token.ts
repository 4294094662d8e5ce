import type { Update } from '../domain/update';
import type { Secret } from '../lib/secret';
import { isSignedToken, signToken, type TokenParts } from './signed-token';

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

/** What was offered to a person; null for an update that never was. */
export function claimsOf({ id, approval, container, from, to }: Update): ApprovalClaims | null {
  if (approval === null || container === null || to.digest === null) return null;
  return { update: id, container, from: from?.digest ?? null, to: to.digest, expiresAt: approval.expiresAt };
}

/**
 * A token that admits to its update: the update's id and the HMAC-SHA256 of all the claims by the first of the secrets,
 * in base64url. The claims themselves are in the database: so a link is short and shows nothing to its reader.
 */
export function signApproval(secrets: readonly Secret[], claims: ApprovalClaims): string {
  return signToken(secrets, PURPOSE, partsOf(claims));
}

/**
 * Whether one of the secrets has signed just these claims, for this purpose. Expiry is not judged here: the state in the
 * database decides, the signature only admits.
 */
export function isSigned(secrets: readonly Secret[], token: string, claims: ApprovalClaims): boolean {
  return isSignedToken(secrets, PURPOSE, token, partsOf(claims));
}

function partsOf({ update, container, from, to, expiresAt }: ApprovalClaims): TokenParts {
  return [update, container, from, to, expiresAt];
}
