import type { Platform } from '../domain/recreate/platform';
import type { FoundSignature, VerifyRule } from '../domain/signatures/signature';

/**
 * Which image a digest names on one platform: the digest of a tag is often that of an index, and the engine does not say what
 * is in it. Rejects with `EngineError` (domain/errors): `registry_refused` (no such digest, not allowed, an answer that does not
 * have the digest, or one beyond the bounds of domain/bounds), `registry_unreachable` (does not answer, limits requests).
 */
export interface RegistryImages {
  /** `digestReference`: `name@sha256:…`. Null: it has no image of that platform, or several. */
  imageOf(digestReference: string, platform: Platform): Promise<PlatformImage | null>;
  /** What the image's configuration says, which is found as by `imageOf`; null where that is null. Rejects alike. */
  configOf(digestReference: string, platform: Platform): Promise<ImageConfig | null>;
}

/** What an image says of itself, written by a stranger. `env`: `NAME=value`. */
export interface ImageConfig {
  labels: Record<string, string>;
  env: string[];
}

/** One image of one platform, by digests (`sha256:…`). */
export interface PlatformImage {
  manifest: string;
  /** That of the image's configuration: the image ID, in an engine without the containerd image store. */
  config: string;
}

/**
 * What a registry has besides the tag that runs: the engine can ask for one tag's digest, but lists none.
 * Rejects with `EngineError` (domain/errors): `registry_refused` (no such repository, not allowed, a list beyond the bounds of
 * domain/bounds, an address where the registry may not lead), `registry_unreachable` (does not answer, limits requests).
 */
export interface RegistryTags {
  /** Of the repository of `reference`, the tags that can be compared with its own (domain/images, `versionJump`), in the registry's order. */
  tags(reference: string): Promise<string[]>;
}

/**
 * What a registry stores as signatures of a digest, in every form that cosign writes: the tag `sha256-….sig`, and referrers
 * of the digest, by the API or by the fallback tag `sha256-…`. Rejects with `EngineError` (domain/errors):
 * `registry_refused` (not allowed, content that does not have its digest, more than the bounds of domain/bounds),
 * `registry_unreachable` (does not answer, limits requests): never an empty list for a registry that did not answer.
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
