import type { Deps } from '../deps';
import { codeOf } from '../domain/errors';
import { parseImageReference } from '../domain/images/image-reference';
import type { Platform } from '../domain/recreate/platform';
import type { PlatformImage } from '../ports/registry-images';

/**
 * After so many silences the registry itself is taken to be away. The list of one repository may fail alone, since its answer
 * is as long as its owner makes it.
 */
const MOST_SILENT = { digest: 1, tags: 2, image: 1, labels: 1 };

/** What is asked of registries in one pass: each thing once, and nothing more of a registry that does not answer. */
export interface RegistryAsked {
  /** Rejects as `Engine.registryDigest`. */
  digest(reference: string): Promise<string>;
  /** Rejects as `RegistryTags.tags`. */
  tags(reference: string): Promise<string[]>;
  /** Rejects as `RegistryImages.imageOf`. */
  image(digestReference: string, platform: Platform): Promise<PlatformImage | null>;
  /** Rejects as `RegistryImages.labelsOf`. */
  labels(digestReference: string, platform: Platform): Promise<Record<string, string> | null>;
}

export function askRegistry({
  engine,
  registryTags,
  registryImages,
}: Pick<Deps, 'engine' | 'registryTags' | 'registryImages'>): RegistryAsked {
  /** Digests come by way of the engine and its proxy, the rest does not: one may fail where the other works. */
  const once = <T, More extends unknown[]>(
    mostSilent: number,
    ask: (reference: string, ...more: More) => Promise<T>,
  ) => {
    const answers = new Map<string, Promise<T>>();
    const silences = new Map<string, unknown[]>();
    const asked = async (reference: string, ...more: More): Promise<T> => {
      const registry = parseImageReference(reference).domain;
      const silent = silences.get(registry) ?? [];
      if (silent.length >= mostSilent) throw silent[0];
      try {
        return await ask(reference, ...more);
      } catch (error) {
        if (codeOf(error) === 'registry_unreachable') silences.set(registry, [...silent, error]);
        throw error;
      }
    };
    return (reference: string, ...more: More): Promise<T> => {
      const key = JSON.stringify([reference, ...more]);
      const answer = answers.get(key) ?? asked(reference, ...more);
      answers.set(key, answer);
      return answer;
    };
  };
  return {
    digest: once(MOST_SILENT.digest, (reference) => engine.registryDigest(reference)),
    tags: once(MOST_SILENT.tags, (reference) => registryTags.tags(reference)),
    image: once(MOST_SILENT.image, (reference, platform: Platform) => registryImages.imageOf(reference, platform)),
    labels: once(MOST_SILENT.labels, (reference, platform: Platform) => registryImages.labelsOf(reference, platform)),
  };
}
