import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier, type TrustMaterial } from '@sigstore/verify';
import { PilotError } from '../../domain/errors';
import type { Verified } from '../../ports/signatures';
import type { ReadBundle } from './bundle';

export type Trust = TrustMaterial;

/** Throws `signature_not_checked` for what is not a trusted root. */
export function trustOf(json: string): Trust {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(json));
    if (root.certificateAuthorities.length === 0) throw new Error('it names no certificate authority');
    return toTrustMaterial(root);
  } catch (error) {
    const message =
      'PILOT_TRUSTED_ROOT is not a trusted root of Sigstore: use trusted_root.json of its TUF repository, or `cosign trusted-root create`.';
    throw new PilotError('signature_not_checked', message, { cause: error });
  }
}

/**
 * A certificate of the trusted root's authority, with a timestamp and an entry in its log, both verified offline; the name in it
 * matches `pattern` as a whole, and its issuer is exactly `issuer`.
 */
export function verifiedByIdentity(
  trust: Trust,
  { keyless }: ReadBundle,
  { pattern, issuer }: { pattern: RegExp; issuer: string },
): Verified {
  if (keyless === null) return { valid: false, why: 'a signature has no certificate and log entry' };
  try {
    // The defaults of the library: one timestamp, one log entry, one timestamp of the certificate log.
    const { identity } = new Verifier(trust).verify(toSignedEntity(keyless.bundle, keyless.artifact));
    const name = identity?.subjectAlternativeName ?? '';
    const by = identity?.extensions?.issuer ?? '';
    if (by === issuer && pattern.test(name)) return { valid: true, by: `${name} (${issuer})` };
    return { valid: false, why: `a signature is by ${shown(name)} (${shown(by)})` };
  } catch (error) {
    return { valid: false, why: `a signature is not valid: ${shown(error instanceof Error ? error.message : '')}` };
  }
}

/** Of a certificate that a stranger may have made. */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}
