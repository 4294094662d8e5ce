import { codeOf, messageOf } from '../domain/errors';

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
  { reference, digest }: { reference: string; digest: string | null },
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
