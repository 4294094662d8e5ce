import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, type TrustMaterial, Verifier } from '@sigstore/verify';
import { readFile } from 'node:fs/promises';
import { PilotError } from '../../domain/errors';
import { type FoundSignature, identityPattern, ruleText, type VerifyRule } from '../../domain/signatures/signature';
import type { SignatureVerifier, Verified } from '../../ports/registry';
import { readBundle, type ReadBundle } from './bundle';
import { publicKeyOf, type SignedBytes, verifiedByKey } from './by-key';
import { namedDigest } from './payload';

type Rule = Exclude<VerifyRule, { kind: 'off' }>;

export interface SignatureVerifierOptions {
  /** The trusted root (`trusted_root.json` of Sigstore's TUF repository, or one's own); null: no identity can be checked. */
  trustedRoot: string | null;
}

/** Checks with Node's crypto and Sigstore's library. Keys and the trusted root are read at each check, so that a new one counts at once. */
export function createSignatureVerifier({ trustedRoot }: SignatureVerifierOptions): SignatureVerifier {
  return {
    isSignature: (found) => readFound(found, '') !== null,
    verify: async (found, digest, rule) => {
      const read = readFound(found, digest);
      if (read === null || 'valid' in read) return read;
      return rule.kind === 'key' ? byKey(read, rule) : byIdentity(read, rule, trustedRoot);
    },
  };
}

/** What was signed, by which form. Null: it is not a signature of an image. */
function readFound(found: FoundSignature, digest: string): ReadBundle | Extract<Verified, { valid: false }> | null {
  if (found.form === 'unreadable') return { valid: false, why: found.why };
  const read = readBundle(found);
  if (read === null || 'why' in read) return read === null ? null : { valid: false, why: read.why };
  // Only compared here; it counts once the signature over it holds.
  const named = namedDigest(read.content);
  if (named === null || !('digests' in named)) return named === null ? null : { valid: false, why: named.why };
  if (digest !== '' && !named.digests.includes(digest))
    return { valid: false, why: `a signature is for another digest (${named.digests.join(', ').slice(0, 200)})` };
  return read;
}

async function byKey(read: ReadBundle, rule: Extract<Rule, { kind: 'key' }>): Promise<Verified> {
  const key = publicKeyOf(await fileOf(rule.path, 'The public key', rule), ruleText(rule));
  const signed: SignedBytes = read.signed;
  return verifiedByKey(key, signed)
    ? { valid: true, by: ruleText(rule) }
    : { valid: false, why: `a signature was not made with the required key` };
}

async function byIdentity(
  read: ReadBundle,
  rule: Extract<Rule, { kind: 'identity' }>,
  trustedRoot: string | null,
): Promise<Verified> {
  if (trustedRoot === null) {
    const message = `${ruleText(rule)} cannot be checked without a trusted root: set PILOT_TRUSTED_ROOT to a trusted_root.json.`;
    throw new PilotError('signature_not_checked', message);
  }
  const trust: Trust = trustedRootOf(await fileOf(trustedRoot, 'The trusted root', rule));
  return verifiedByIdentity(trust, read, { pattern: identityPattern(rule.pattern), issuer: rule.issuer });
}

async function fileOf(path: string, what: string, rule: Rule): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    const message = `${what} for update.verify=${ruleText(rule)} cannot be read (${code}): mount it into the container of diun-pilot, readable for its user.`;
    throw new PilotError('signature_not_checked', message, { cause: error });
  }
}

export type Trust = TrustMaterial;

/** Throws `signature_not_checked` for what is not a trusted root. */
export function trustedRootOf(json: string): Trust {
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
function verifiedByIdentity(
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
