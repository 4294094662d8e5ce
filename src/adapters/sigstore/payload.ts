import { z } from 'zod';
import { jsonOrUndefined } from '../../lib/json';

/** What a signature is over, by its own words; they count once the signature holds. */
export type SignedContent = { kind: 'payload'; bytes: Buffer } | { kind: 'statement'; bytes: Buffer };

const SIMPLE_SIGNING = ['cosign container image signature', 'https://sigstore.dev/cosign/sign/v1'];
const SIGN = 'https://sigstore.dev/cosign/sign/v1';

const payload = z.object({
  critical: z.object({ type: z.string(), image: z.object({ 'docker-manifest-digest': z.string() }) }),
});
const statement = z.object({
  predicateType: z.string(),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).max(100),
});

/** The digests that are signed. Null: it signs something else, such as an attestation about the image. */
export function namedDigest({ kind, bytes }: SignedContent): { digests: string[] } | { why: string } | null {
  return kind === 'payload' ? ofPayload(bytes) : ofStatement(bytes);
}

function ofPayload(bytes: Buffer): { digests: string[] } | { why: string } {
  const read = payload.safeParse(jsonOrUndefined(bytes.toString('utf8'))).data;
  if (read === undefined || !SIMPLE_SIGNING.includes(read.critical.type))
    return { why: 'the signed content does not name an image' };
  return { digests: [read.critical.image['docker-manifest-digest']] };
}

function ofStatement(bytes: Buffer): { digests: string[] } | { why: string } | null {
  const read = statement.safeParse(jsonOrUndefined(bytes.toString('utf8'))).data;
  if (read === undefined) return { why: 'the signed content is not a statement about an image' };
  if (read.predicateType !== SIGN) return null;
  return {
    digests: read.subject.flatMap(({ digest }) =>
      Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`),
    ),
  };
}
