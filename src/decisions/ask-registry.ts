import type { Deps } from '../deps';
import { codeOf } from '../domain/errors';
import { parseImageReference, repositoryOf } from '../domain/images/image-reference';

/** What is asked of registries in one go: each thing once, and nothing more of a registry that does not answer. */
export interface RegistryAsked {
  /** Rejects as `Engine.registryDigest`. */
  digest(reference: string): Promise<string>;
  /** Rejects as `RegistryTags.tags`. */
  tags(reference: string): Promise<string[]>;
}

export function askRegistry({ engine, registryTags }: Pick<Deps, 'engine' | 'registryTags'>): RegistryAsked {
  const silent = new Map<string, unknown>();
  /** Digests come by way of the engine and its proxy, tags do not: one may fail where the other works. */
  const once = <T>(way: string, key: (reference: string) => string, ask: (reference: string) => Promise<T>) => {
    const answers = new Map<string, Promise<T>>();
    const asked = async (reference: string): Promise<T> => {
      const registry = `${way} ${parseImageReference(reference).domain}`;
      if (silent.has(registry)) throw silent.get(registry);
      try {
        return await ask(reference);
      } catch (error) {
        if (codeOf(error) === 'registry_unreachable') silent.set(registry, error);
        throw error;
      }
    };
    return (reference: string): Promise<T> => {
      const answer = answers.get(key(reference)) ?? asked(reference);
      answers.set(key(reference), answer);
      return answer;
    };
  };
  return {
    digest: once('digest', String, (reference) => engine.registryDigest(reference)),
    tags: once(
      'tags',
      (reference) => repositoryOf(parseImageReference(reference)),
      (reference) => registryTags.tags(reference),
    ),
  };
}
