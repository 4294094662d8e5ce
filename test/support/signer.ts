import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FoundSignature } from '../../src/domain/signatures/signature';

const IN_TOTO = 'application/vnd.in-toto+json';
const SIGN = 'https://sigstore.dev/cosign/sign/v1';

/** A key pair with its public key in a file, which signs digests as cosign does in both of its forms. */
export interface Signer {
  /** `key:/…/cosign.pub`. */
  rule: string;
  publicKey: string;
  privateKey: KeyObject;
  /** As cosign 2: a payload and a signature over it. */
  payload(digest: string): FoundSignature & { form: 'payload' };
  /** As cosign 3: a bundle with a statement. */
  bundle(digest: string, predicateType?: string): FoundSignature & { form: 'bundle' };
  remove(): void;
}

export function makeSigner(kind: 'ec' | 'rsa' | 'ed25519' | 'p384' = 'ec'): Signer {
  const { publicKey, privateKey } = pairOf(kind);
  const hash = kind === 'ed25519' ? null : kind === 'p384' ? 'sha384' : 'sha256';
  const folder = mkdtempSync(join(tmpdir(), 'signer-'));
  const path = join(folder, 'cosign.pub');
  writeFileSync(path, publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    rule: `key:${path}`,
    publicKey: path,
    privateKey,
    payload: (digest) => {
      const payload = payloadOf(digest);
      const signature = sign(hash, payload, privateKey).toString('base64');
      return { form: 'payload', payload, signature, certificate: null, logEntry: null };
    },
    bundle: (digest, predicateType = SIGN) => {
      const payload = statementOf(digest, predicateType);
      const signature = sign(hash, preAuthEncoding(payload), privateKey);
      return { form: 'bundle', json: bundleJson(payload, signature) };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function pairOf(kind: string): { publicKey: KeyObject; privateKey: KeyObject } {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: kind === 'p384' ? 'secp384r1' : 'prime256v1' });
}

/** As `cosign sign` writes it (recorded from cosign 2.5). */
export function payloadOf(digest: string, type = 'cosign container image signature'): Buffer {
  const image = { 'docker-manifest-digest': digest };
  const critical = { identity: { 'docker-reference': 'registry.example/app' }, image, type };
  return Buffer.from(JSON.stringify({ critical, optional: null }));
}

export function statementOf(digest: string, predicateType = SIGN): Buffer {
  const [algorithm = '', value = ''] = digest.split(':');
  const subject = [{ digest: { [algorithm]: value } }];
  return Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} }),
  );
}

export function preAuthEncoding(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
}

function bundleJson(payload: Buffer, signature: Buffer): string {
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'hint' }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: IN_TOTO,
      signatures: [{ sig: signature.toString('base64') }],
    },
  });
}
