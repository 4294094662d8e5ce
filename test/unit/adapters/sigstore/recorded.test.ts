import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSignatureVerifier } from '../../../../src/adapters/sigstore/signature-verifier';
import type { FoundSignature } from '../../../../src/domain/signatures/signature';

// What real cosigns wrote (`madeBy`), with the key next to it.
const FOLDER = join(__dirname, '../../../fixtures/cosign');
const RULE = { kind: 'key', path: join(FOLDER, 'cosign.pub') } as const;
const recorded = JSON.parse(readFileSync(join(FOLDER, 'recorded.json'), 'utf8')) as {
  payload: { digest: string; payload: string; signature: string };
  bundle: { digest: string; json: string };
  attestation: { digest: string; json: string };
};

const verify = (found: FoundSignature, digest: string) =>
  createSignatureVerifier({ trustedRoot: null }).verify(found, digest, RULE);

test('a payload of cosign 2 verifies', async () => {
  const { digest, payload, signature } = recorded.payload;
  const found = {
    form: 'payload',
    payload: Buffer.from(payload),
    signature,
    certificate: null,
    logEntry: null,
  } as const;
  expect(await verify(found, digest)).toEqual({ valid: true, by: `key:${RULE.path}` });
});

test('a bundle of cosign 3 verifies, for its own digest only', async () => {
  const { digest, json } = recorded.bundle;
  expect(await verify({ form: 'bundle', json }, digest)).toEqual({ valid: true, by: `key:${RULE.path}` });
  expect(await verify({ form: 'bundle', json }, recorded.payload.digest)).toMatchObject({ valid: false });
});

test('an attestation of cosign is not a signature', async () => {
  const { digest, json } = recorded.attestation;
  expect(await verify({ form: 'bundle', json }, digest)).toBeNull();
});
