import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { createSignatureVerifier } from '../../../../src/adapters/sigstore/signature-verifier';
import type { FoundSignature } from '../../../../src/domain/signatures/signature';
import { makeSigner, payloadOf, statementOf, type Signer } from '../../../support/signer';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const OTHER = `sha256:${'b2'.repeat(32)}`;
const verifier = createSignatureVerifier({ trustedRoot: null });

let signer: Signer;
let stranger: Signer;
beforeAll(() => {
  signer = makeSigner();
  stranger = makeSigner();
});
afterAll(() => {
  signer.remove();
  stranger.remove();
});

const key = (by: Signer = signer) => ({ kind: 'key', path: by.publicKey }) as const;
const verify = (found: FoundSignature, digest = DIGEST, by = signer) => verifier.verify(found, digest, key(by));
const wrong = (why: RegExp) => ({ valid: false, why: expect.stringMatching(why) });
type Payload = FoundSignature & { form: 'payload' };
const changed = (found: Payload, fields: Partial<Payload>): FoundSignature => ({ ...found, ...fields });

describe.each(['ec', 'rsa', 'ed25519', 'p384'] as const)('a key of type %s', (kind) => {
  test('verifies both forms, and only its own signatures', async () => {
    const own = makeSigner(kind);
    try {
      for (const found of [own.payload(DIGEST), own.bundle(DIGEST)]) {
        expect(await verify(found, DIGEST, own)).toEqual({ valid: true, by: own.rule });
        expect(await verify(found)).toEqual(wrong(/not made with the required key/));
      }
    } finally {
      own.remove();
    }
  });
});

describe('a signature', () => {
  test('over another digest is wrong, even by the right key', async () => {
    expect(await verify(signer.payload(OTHER))).toEqual(wrong(/for another digest/));
    expect(await verify(signer.bundle(OTHER))).toEqual(wrong(/for another digest/));
  });

  test('over a changed payload is wrong', async () => {
    expect(await verify(changed(signer.payload(OTHER), { payload: payloadOf(DIGEST) }))).toEqual(
      wrong(/not made with the required key/),
    );
    const bundle = JSON.parse(signer.bundle(OTHER).json) as { dsseEnvelope: { payload: string } };
    bundle.dsseEnvelope.payload = statementOf(DIGEST).toString('base64');
    expect(await verify({ form: 'bundle', json: JSON.stringify(bundle) })).toEqual(
      wrong(/not made with the required key/),
    );
  });

  test('that is empty, or no base64, is wrong', async () => {
    for (const signature of ['', '####', 'AAAA'])
      expect(await verify(changed(signer.payload(DIGEST), { signature }))).toEqual(
        wrong(/not made with the required key/),
      );
  });

  test('of another type of payload is wrong: the key may sign other things', async () => {
    const payload = Buffer.from(
      JSON.stringify({ critical: { type: 'other', image: { 'docker-manifest-digest': DIGEST } } }),
    );
    expect(await verify(changed(signer.payload(DIGEST), { payload }))).toEqual(wrong(/does not name an image/));
  });

  test('with more than one signature in a bundle is wrong', async () => {
    const bundle = JSON.parse(signer.bundle(DIGEST).json) as { dsseEnvelope: { signatures: unknown[] } };
    bundle.dsseEnvelope.signatures.push(bundle.dsseEnvelope.signatures[0]);
    expect(await verify({ form: 'bundle', json: JSON.stringify(bundle) })).toEqual(wrong(/exactly one|readable/));
  });

  test('that cannot be read is wrong, not missing', async () => {
    expect(await verify({ form: 'bundle', json: '{' })).toEqual(wrong(/readable/));
    expect(await verify({ form: 'unreadable', why: 'it has no value' })).toEqual(wrong(/no value/));
  });

  test('of an attestation is none', async () => {
    const found = signer.bundle(DIGEST, 'https://slsa.dev/provenance/v1');
    expect(await verify(found)).toBeNull();
    expect(verifier.isSignature(found)).toBe(false);
    expect(verifier.isSignature(signer.bundle(DIGEST))).toBe(true);
  });

  test('is judged whatever bytes a registry sends, without an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), fc.uint8Array(), async (text, bytes) => {
        const found: FoundSignature[] = [
          { form: 'bundle', json: text },
          { form: 'payload', payload: Buffer.from(bytes), signature: text, certificate: text, logEntry: text },
        ];
        for (const each of found) expect((await verify(each))?.valid ?? false).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a key that cannot be used', () => {
  const refuses = (path: string) => verifier.verify(signer.payload(DIGEST), DIGEST, { kind: 'key', path });

  test('is not a wrong signature', async () => {
    await expect(refuses('/nowhere/cosign.pub')).rejects.toMatchObject({
      code: 'signature_not_checked',
      message: expect.stringMatching(/cannot be read \(ENOENT\): mount it/),
    });
  });

  test('may be a private key, which does not belong here', async () => {
    const path = stranger.publicKey.replace('cosign.pub', 'cosign.key');
    writeFileSync(path, stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await expect(refuses(path)).rejects.toMatchObject({ code: 'signature_not_checked' });
    writeFileSync(path, 'no key');
    await expect(refuses(path)).rejects.toMatchObject({ message: expect.stringMatching(/not a public key in PEM/) });
  });

  test('is an identity without a trusted root', async () => {
    const rule = { kind: 'identity', pattern: '.*', issuer: 'https://issuer.example' } as const;
    await expect(verifier.verify(signer.payload(DIGEST), DIGEST, rule)).rejects.toMatchObject({
      code: 'signature_not_checked',
      message: expect.stringMatching(/PILOT_TRUSTED_ROOT/),
    });
  });
});
