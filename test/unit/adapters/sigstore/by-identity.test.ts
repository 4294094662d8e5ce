import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';
import { createSignatureVerifier } from '../../../../src/adapters/sigstore/signature-verifier';
import type { FoundSignature } from '../../../../src/domain/signatures/signature';
import { payloadOf, preAuthEncoding, statementOf } from '../../../support/signer';

// Sigstore's own mock of its certificate authority and logs: everything is signed as in the real one.
const DIGEST = `sha256:${'a1'.repeat(32)}`;
const NAME = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1';
const ISSUER = 'https://token.actions.githubusercontent.com';
const RULE = { kind: 'identity', pattern: 'https://github\\.com/acme/.+', issuer: ISSUER } as const;

const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const sha256 = (bytes: string | Buffer): Buffer => createHash('sha256').update(bytes).digest();
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

interface LogEntry {
  body: string;
  integratedTime: number;
  logIndex: number;
  logID: string;
  verification: { signedEntryTimestamp: string };
}

/** One Sigstore, with its trusted root in a file. */
async function startSigstore(folder: string) {
  const ctlog = await initializeCTLog(pair());
  const ca = await initializeCA(pair(), ctlog);
  const tlog = await initializeTLog('https://rekor.sigstore.dev', pair());
  const validFor = { start: new Date(0).toISOString() };
  const log = (key: Buffer, id: Buffer) => ({
    baseUrl: 'https://log.example',
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: id.toString('base64') },
  });
  const root = Buffer.from(ca.rootCertificate.buffer).toString('base64');
  const trustedRoot = join(folder, `trusted_root-${Math.random()}.json`);
  writeFileSync(
    trustedRoot,
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log(tlog.publicKey, sha256(tlog.publicKey))],
      ctlogs: [log(ctlog.publicKey, Buffer.from(ctlog.logID.buffer))],
      certificateAuthorities: [
        { uri: 'https://ca.example', certChain: { certificates: [{ rawBytes: root }] }, validFor },
      ],
      timestampAuthorities: [],
    }),
  );
  /** A certificate for a name on the word of an issuer, and a key. */
  const certify = async (name: string, issuer: string) => {
    const { publicKey, privateKey } = pair();
    const der = await ca.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: name,
      extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: issuer }],
    });
    return { privateKey, der: Buffer.from(der.buffer) };
  };
  const enter = async (entry: object) => {
    const [made] = Object.values(await tlog.log(entry));
    if (made === undefined) throw new Error('the mock gives no entry');
    return made as unknown as LogEntry;
  };
  return { trustedRoot, certify, enter };
}
type Sigstore = Awaited<ReturnType<typeof startSigstore>>;

/** As cosign 2 signs without a key. */
async function payload({ certify, enter }: Sigstore, name = NAME, issuer = ISSUER, digest = DIGEST) {
  const { privateKey, der } = await certify(name, issuer);
  const bytes = payloadOf(digest);
  const signature = sign('sha256', bytes, privateKey).toString('base64');
  const data = { hash: { algorithm: 'sha256', value: sha256(bytes).toString('hex') } };
  const publicKey = { content: Buffer.from(pem(der)).toString('base64') };
  const spec = { data, signature: { content: signature, publicKey } };
  const { body, integratedTime, logIndex, logID, verification } = await enter({
    ...{ kind: 'hashedrekord', apiVersion: '0.0.1', spec },
  });
  const Payload = { body, integratedTime, logIndex, logID };
  const logEntry = JSON.stringify({ SignedEntryTimestamp: verification.signedEntryTimestamp, Payload });
  return { form: 'payload', payload: bytes, signature, certificate: pem(der), logEntry } satisfies FoundSignature;
}

/** As cosign 3 does. */
async function bundle({ certify, enter }: Sigstore, name = NAME): Promise<FoundSignature> {
  const { privateKey, der } = await certify(name, ISSUER);
  const statement = statementOf(DIGEST);
  const signature = sign('sha256', preAuthEncoding(statement), privateKey).toString('base64');
  const verifier = Buffer.from(pem(der)).toString('base64');
  const spec = {
    payloadHash: { algorithm: 'sha256', value: sha256(statement).toString('hex') },
    signatures: [{ signature, verifier }],
  };
  const { body, integratedTime, logIndex, logID, verification } = await enter({
    ...{ kind: 'dsse', apiVersion: '0.0.1', spec },
  });
  const entry = {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: verification.signedEntryTimestamp },
    canonicalizedBody: body,
  };
  const json = {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: der.toString('base64') }] },
      tlogEntries: [entry],
    },
    dsseEnvelope: {
      payload: statement.toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: signature }],
    },
  };
  return { form: 'bundle', json: JSON.stringify(json) };
}

let folder: string;
let own: Sigstore;
let other: Sigstore;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sigstore-'));
  own = await startSigstore(folder);
  other = await startSigstore(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const verify = (
  found: FoundSignature,
  rule: typeof RULE | { kind: 'identity'; pattern: string; issuer: string } = RULE,
) => createSignatureVerifier({ trustedRoot: own.trustedRoot }).verify(found, DIGEST, rule);
const wrong = (why: RegExp) => ({ valid: false, why: expect.stringMatching(why) });

test('a certificate of the authority, entered in its log, verifies in both forms', async () => {
  const verified = { valid: true, by: `${NAME} (${ISSUER})` };
  expect(await verify(await payload(own))).toEqual(verified);
  expect(await verify(await bundle(own))).toEqual(verified);
});

test('another name or issuer is wrong, and so is a name of which a part matches', async () => {
  expect(await verify(await payload(own, 'https://github.com/evil/app'))).toEqual(
    wrong(/signature is by https:\/\/github\.com\/evil/),
  );
  expect(await verify(await payload(own, `https://evil.example/${NAME}`))).toEqual(wrong(/signature is by/));
  expect(await verify(await payload(own, NAME, 'https://issuer.evil'))).toEqual(wrong(/issuer\.evil/));
  expect(await verify(await bundle(own, 'https://github.com/evil/app'))).toEqual(wrong(/signature is by/));
});

test('a certificate of another authority is wrong', async () => {
  expect(await verify(await payload(other))).toEqual(wrong(/is not valid/));
  expect(await verify(await bundle(other))).toEqual(wrong(/is not valid/));
});

test('without the entry in the log, or with that of another signature, it is wrong', async () => {
  const found = await payload(own);
  const foreign = await payload(own);
  expect(await verify({ ...found, logEntry: null })).toEqual(wrong(/no certificate and log entry/));
  expect(await verify({ ...found, logEntry: foreign.logEntry })).toEqual(wrong(/is not valid/));
  const { verificationMaterial: material, ...rest } = JSON.parse(((await bundle(own)) as { json: string }).json);
  const bare = { ...rest, verificationMaterial: { ...material, tlogEntries: [] } };
  expect(await verify({ form: 'bundle', json: JSON.stringify(bare) })).toEqual(wrong(/readable|is not valid/));
});

test('over another digest, it is wrong', async () => {
  expect(await verify(await payload(own, NAME, ISSUER, `sha256:${'b2'.repeat(32)}`))).toEqual(wrong(/another digest/));
});

test('a trusted root that is none checks nothing', async () => {
  const path = join(folder, 'none.json');
  const verifier = createSignatureVerifier({ trustedRoot: path });
  for (const text of ['{', '{}', '[]']) {
    writeFileSync(path, text);
    await expect(verifier.verify(await payload(own), DIGEST, RULE)).rejects.toMatchObject({
      code: 'signature_not_checked',
      message: expect.stringMatching(/PILOT_TRUSTED_ROOT is not a trusted root/),
    });
  }
});
