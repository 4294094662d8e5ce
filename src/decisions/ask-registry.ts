import type { Deps } from '../deps';
import { codeOf, messageOf } from '../domain/errors';
import { parseImageReference } from '../domain/images/image-reference';
import type { Platform } from '../domain/recreate/platform';
import type { ImageConfig, PlatformImage } from '../ports/registry';
import type { FoundSignature } from '../domain/signatures/signature';
import type { ImageAt } from '../domain/update';

/**
 * After so many silences the registry itself is taken to be away. The list of one repository may fail alone, since its answer
 * is as long as its owner makes it.
 */
const MOST_SILENT = { digest: 1, tags: 2, image: 1, config: 1, signatures: 1 };

/** What is asked of registries in one pass: each thing once, and nothing more of a registry that does not answer. */
export interface RegistryAsked {
  /** Rejects as `Engine.registryDigest`. */
  digest(reference: string): Promise<string>;
  /** Rejects as `RegistryTags.tags`. */
  tags(reference: string): Promise<string[]>;
  /** Rejects as `RegistryImages.imageOf`. */
  image(digestReference: string, platform: Platform): Promise<PlatformImage | null>;
  /** Rejects as `RegistryImages.configOf`. */
  config(digestReference: string, platform: Platform): Promise<ImageConfig | null>;
  /** Rejects as `RegistrySignatures.of`. */
  signatures(digestReference: string): Promise<FoundSignature[]>;
}

export function askRegistry({
  engine,
  registryTags,
  registryImages,
  registrySignatures,
}: Pick<Deps, 'engine' | 'registryTags' | 'registryImages' | 'registrySignatures'>): RegistryAsked {
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
    config: once(MOST_SILENT.config, (reference, platform: Platform) => registryImages.configOf(reference, platform)),
    signatures: once(MOST_SILENT.signatures, (reference) => registrySignatures.of(reference)),
  };
}

/** The registry's answer about a digest that was announced, shown or approved for a tag. */
export type Confirmation =
  | { kind: 'same' }
  /** `named`: the digest that the tag has instead. */
  | { kind: 'different'; named: string; reason: string }
  | { kind: 'unknown' | 'silent'; reason: string };

/**
 * Asks the registry which digest a tag has. A webhook says only that something is new, and a tag can move after an offer:
 * only the registry's answer may be acted on. `silent`: the registry does not answer now. Rejects with `engine_unreachable`.
 */
export async function confirmDigest(
  ask: (reference: string) => Promise<string>,
  { reference, digest }: ImageAt,
): Promise<Confirmation> {
  try {
    const named = await ask(reference);
    if (named === digest) return { kind: 'same' };
    return { kind: 'different', named, reason: `The registry names ${named} for ${reference}, not ${digest}.` };
  } catch (error) {
    if (codeOf(error) === 'registry_refused') return { kind: 'unknown', reason: messageOf(error) };
    if (codeOf(error) === 'registry_unreachable') return { kind: 'silent', reason: messageOf(error) };
    throw error;
  }
}
