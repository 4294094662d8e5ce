import { createHash } from 'node:crypto';
import { bundleFromJSON, type Bundle } from '@sigstore/bundle';
import { z } from 'zod';
import type { FoundSignature } from '../../domain/signatures/signature';
import type { SignedBytes } from './by-key';
import type { SignedContent } from './payload';
import { jsonOrUndefined } from '../../lib/json';

/** A signature of either form, read but not checked. */
export interface ReadBundle {
  content: SignedContent;
  signed: SignedBytes;
  /** For a check by certificate and log; null: signed with a key, or what it needs is missing. */
  keyless: { bundle: Bundle; artifact: Buffer | undefined } | null;
}

type Found = Exclude<FoundSignature, { form: 'unreadable' }>;

const IN_TOTO = 'application/vnd.in-toto+json';

/** Null: it is not a signature of an image. `why`: it should be one and cannot be read, as a clause. */
export function readBundle(found: Found): ReadBundle | { why: string } | null {
  return found.form === 'payload' ? ofPayload(found) : ofBundle(found.json);
}

function ofPayload(found: Extract<Found, { form: 'payload' }>): ReadBundle {
  const { payload, signature } = found;
  return {
    content: { kind: 'payload', bytes: payload },
    signed: { bytes: payload, signature: Buffer.from(signature, 'base64') },
    keyless: keylessOf(found),
  };
}

function ofBundle(json: string): ReadBundle | { why: string } | null {
  const bundle = parsed(json);
  if (bundle === null) return { why: 'a signature is not a readable Sigstore bundle' };
  // Over other bytes than a statement, so none of `cosign sign`.
  if (bundle.content.$case !== 'dsseEnvelope') return null;
  const { payloadType, payload, signatures } = bundle.content.dsseEnvelope;
  if (payloadType !== IN_TOTO) return null;
  const [first, ...more] = signatures;
  if (first === undefined || more.length > 0) return { why: 'a bundle does not have exactly one signature' };
  const keyless = bundle.verificationMaterial.content.$case === 'publicKey' ? null : { bundle, artifact: undefined };
  return {
    content: { kind: 'statement', bytes: payload },
    signed: { bytes: preAuthEncoding(payloadType, payload), signature: first.sig },
    keyless,
  };
}

/** What a DSSE signature is over (secure-systems-lab/dsse, protocol.md). */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function parsed(json: string): Bundle | null {
  try {
    return bundleFromJSON(JSON.parse(json));
  } catch {
    return null;
  }
}

/** The entry of the transparency log, as cosign 2 writes it into an annotation. */
const logEntryShape = z.object({
  SignedEntryTimestamp: z.string(),
  Payload: z.object({ body: z.string(), integratedTime: z.number(), logIndex: z.number(), logID: z.string() }),
});
const bodyShape = z.object({ kind: z.string(), apiVersion: z.string() });

/** A bundle of what cosign 2 writes as annotations, so that one library checks both forms. */
function keylessOf(found: Extract<Found, { form: 'payload' }>): ReadBundle['keyless'] {
  const { payload, signature, certificate, logEntry } = found;
  if (certificate === null || logEntry === null) return null;
  const entry = logEntryShape.safeParse(jsonOrUndefined(logEntry)).data;
  const kind = entry && bodyShape.safeParse(jsonOrUndefined(Buffer.from(entry.Payload.body, 'base64').toString())).data;
  if (entry === undefined || kind === undefined) return null;
  const { body, integratedTime, logIndex, logID } = entry.Payload;
  const bundle = parsed(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
      verificationMaterial: {
        x509CertificateChain: { certificates: [{ rawBytes: derOf(certificate) }] },
        tlogEntries: [
          {
            logIndex: String(logIndex),
            logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
            kindVersion: { kind: kind.kind, version: kind.apiVersion },
            integratedTime: String(integratedTime),
            inclusionPromise: { signedEntryTimestamp: entry.SignedEntryTimestamp },
            canonicalizedBody: body,
          },
        ],
      },
      messageSignature: {
        messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(payload).digest('base64') },
        signature,
      },
    }),
  );
  return bundle && { bundle, artifact: payload };
}

/** Of the first certificate. */
function derOf(pem: string): string {
  return (/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(pem)?.[1] ?? '').replace(/\s/g, '');
}
