import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { PilotError } from '../../domain/errors';

/** Bytes, and a signature over them. */
export interface SignedBytes {
  bytes: Buffer;
  signature: Buffer;
}

/** As cosign uses them: SHA-256, or the hash of the curve's size; Ed25519 has its own. */
const HASHES: Readonly<Record<string, readonly string[]>> = {
  rsa: ['sha256'],
  ec: ['sha256', 'sha384', 'sha512'],
};

/** Throws `signature_not_checked` for what is not a public key in PEM. */
export function publicKeyOf(pem: string, rule: string): KeyObject {
  // A private key would be accepted too, and does not belong on this machine.
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) {
    try {
      const key = createPublicKey(pem);
      if (key.asymmetricKeyType === 'ed25519' || Object.hasOwn(HASHES, key.asymmetricKeyType ?? '')) return key;
    } catch {
      // The message below says what to do.
    }
  }
  const message = `The file of update.verify=${rule} is not a public key in PEM (ECDSA, RSA or Ed25519): use cosign.pub of \`cosign generate-key-pair\`.`;
  throw new PilotError('signature_not_checked', message);
}

export function verifiedByKey(key: KeyObject, { bytes, signature }: SignedBytes): boolean {
  const hashes = key.asymmetricKeyType === 'ed25519' ? [null] : (HASHES[key.asymmetricKeyType ?? ''] ?? []);
  return hashes.some((hash) => holds(hash, bytes, key, signature));
}

/** A signature of another key type is refused by an exception. */
function holds(hash: string | null, bytes: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, bytes, key, signature);
  } catch {
    return false;
  }
}
