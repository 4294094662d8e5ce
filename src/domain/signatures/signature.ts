/** What a registry has as a signature of one digest, unchecked: nothing in it is to be believed. */
export type FoundSignature =
  /** A payload that names the digest, and a signature over its bytes (cosign 2, tag `sha256-….sig`). */
  | {
      form: 'payload';
      payload: Buffer;
      /** Base64. */
      signature: string;
      /** PEM; null: signed with a key. */
      certificate: string | null;
      /** JSON of the entry in the transparency log; null: there is none. */
      logEntry: string | null;
    }
  /** A Sigstore bundle (OCI referrer, cosign 3). */
  | { form: 'bundle'; json: string }
  /** What should be a signature cannot be read as one. */
  | { form: 'unreadable'; why: string };

/** `unknown`: the registry or the key could not be read; it is checked again before the update starts. */
export const SIGNATURE_STATUSES = ['verified', 'missing', 'invalid', 'unknown'] as const;

/** Of exactly one digest, checked against `update.verify`. */
export interface Signature {
  status: (typeof SIGNATURE_STATUSES)[number];
  /** Who signed, where it is verified: the key, or the identity with its issuer; else null. */
  by: string | null;
}

/** With the reason of what is not `verified`, as a clause. */
export interface CheckedSignature extends Signature {
  why: string | null;
}

/** What page and mail say of it. */
export function signatureSentence({ status, by }: Signature): string {
  switch (status) {
    case 'verified':
      return `Verified: exactly this digest is signed by ${by ?? 'the required signer'}.`;
    case 'missing':
      return 'None: this digest is not signed, though update.verify requires a signature. Approve it only if you know why it is not signed.';
    case 'invalid':
      return 'Invalid: no signature of this digest is from the required signer.';
    case 'unknown':
      return 'Not known yet: the signature could not be checked. It is checked again before the update starts.';
  }
}

/** Why the lack of a signature has the operator asked, as a clause; null: it does not. */
export function whyAskForSignature(signature: CheckedSignature | null | undefined): string | null {
  if (signature?.status !== 'missing') return null;
  return `${signature.why ?? 'it is not signed'}, and update.verify requires a signature`;
}
