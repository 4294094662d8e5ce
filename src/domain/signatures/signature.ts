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

/** `update.verify` (docs/signatures.md): who must have signed a digest before it is pulled. */
export type VerifyRule =
  | { kind: 'off' }
  /** `path`: a public key in PEM, as `cosign generate-key-pair` writes it. */
  | { kind: 'key'; path: string }
  /** Keyless: a certificate for a name that matches `pattern` as a whole, issued on the word of `issuer`. */
  | { kind: 'identity'; pattern: string; issuer: string };

const LONGEST = 1_000;

export function readVerify(text: string): VerifyRule | { problem: string } {
  if (text.length > LONGEST) return { problem: `must have at most ${LONGEST} characters` };
  if (text === 'off') return { kind: 'off' };
  const key = /^key:(.*)$/s.exec(text)?.[1];
  if (key !== undefined) return readKey(key);
  const identity = /^identity:(.*)$/s.exec(text)?.[1];
  if (identity !== undefined) return readIdentity(identity);
  return { problem: 'must be key:/path/to/cosign.pub, identity:REGEX@ISSUER or off' };
}

function readKey(path: string): VerifyRule | { problem: string } {
  if (/\p{Cc}/u.test(path) || !path.startsWith('/') || path.endsWith('/') || path.split('/').includes('..'))
    return { problem: 'must name the absolute path of a public key, as diun-pilot sees it: key:/path/to/cosign.pub' };
  return { kind: 'key', path };
}

/** The last `@` that an address follows: a mail address in the pattern has one, too. */
function readIdentity(text: string): VerifyRule | { problem: string } {
  const [, pattern = '', issuer = ''] = /^(.+)@(https?:\/\/[^\s@]+)$/.exec(text) ?? [];
  if (pattern === '' || !URL.canParse(issuer))
    return {
      problem: 'must look like identity:REGEX@ISSUER, where ISSUER is an address such as https://accounts.google.com',
    };
  try {
    // On its own, too: `a)|(?:.*` ends the group around it.
    new RegExp(pattern, 'u');
    identityPattern(pattern);
  } catch {
    return { problem: 'has a regular expression that cannot be read' };
  }
  return { kind: 'identity', pattern, issuer };
}

/** The whole name must match, so that a part of it cannot. */
export function identityPattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

/** As an operator writes it. */
export function ruleText(rule: VerifyRule): string {
  if (rule.kind === 'off') return 'off';
  return rule.kind === 'key' ? `key:${rule.path}` : `identity:${rule.pattern}@${rule.issuer}`;
}
