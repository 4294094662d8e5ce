import type { FoundSignature } from '../domain/signatures/signature';
import type { VerifyRule } from '../domain/signatures/verify-rule';

/**
 * What a registry stores as signatures of a digest, in every form that cosign writes: the tag `sha256-….sig`, and referrers
 * of the digest, by the API or by the fallback tag `sha256-…`. Rejects with `EngineError` (domain/errors):
 * `registry_refused` (not allowed, content that does not have its digest, more than the bounds of domain/bounds),
 * `registry_unreachable` (does not answer, asks for patience): never an empty list for a registry that did not answer.
 */
export interface RegistrySignatures {
  /** `digestReference`: `name@sha256:…`. Empty: it has none. */
  of(digestReference: string): Promise<FoundSignature[]>;
}

/** Checks signatures against a rule; asks no network. */
export interface SignatureVerifier {
  /**
   * Null: it is not a signature of an image, such as an attestation. Rejects with `signature_not_checked` when the key or the
   * trusted root of the rule cannot be read.
   */
  verify(found: FoundSignature, digest: string, rule: Exclude<VerifyRule, { kind: 'off' }>): Promise<Verified | null>;
  /** The same, without a rule: whether it claims to be a signature of an image. */
  isSignature(found: FoundSignature): boolean;
}

/** `why`: a clause. */
export type Verified = { valid: true; by: string } | { valid: false; why: string };
