/**
 * What a registry has besides the tag that runs: the engine can ask for one tag's digest, but lists none.
 * Rejects with `EngineError` (domain/errors): `registry_refused` (no such repository, not allowed, a list beyond the bounds of
 * domain/bounds, an address where the registry may not lead), `registry_unreachable` (does not answer, asks for patience).
 */
export interface RegistryTags {
  /** Of the repository of `reference`, the tags that can be compared with its own (domain/images, `versionJump`), in the registry's order. */
  tags(reference: string): Promise<string[]>;
}
