import type { Platform } from '../domain/recreate/platform';

/**
 * Which image a digest names on one platform: the digest of a tag is often that of an index, and the engine does not say what
 * is in it. Rejects with `EngineError` (domain/errors): `registry_refused` (no such digest, not allowed, an answer that does not
 * have the digest, or one beyond the bounds of domain/bounds), `registry_unreachable` (does not answer, asks for patience).
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
 * domain/bounds, an address where the registry may not lead), `registry_unreachable` (does not answer, asks for patience).
 */
export interface RegistryTags {
  /** Of the repository of `reference`, the tags that can be compared with its own (domain/images, `versionJump`), in the registry's order. */
  tags(reference: string): Promise<string[]>;
}
