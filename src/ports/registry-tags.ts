/**
 * What a registry has beside the tag that runs: the engine can ask for one tag's digest, but lists none.
 * Rejects with `EngineError` (domain/errors): `registry_refused` (no such repository, not allowed), `registry_unreachable`
 * (does not answer, asks for patience).
 */
export interface RegistryTags {
  /** All tags of the repository of `reference`, in the registry's order. */
  tags(reference: string): Promise<string[]>;
}
