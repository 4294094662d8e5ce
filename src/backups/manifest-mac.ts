import { PilotError } from '../domain/errors';
import type { Secret } from '../lib/secret';
import { isSignedBy, macOf } from '../lib/signing';

const PURPOSE = 'diun-pilot backup manifest 1';

/** A manifest with the field `mac`: HMAC-SHA256 over all its other fields, the hash of every object among them. */
export function sealed<T extends object>(secrets: readonly Secret[], manifest: T): T & { mac: string } {
  const [secret] = secrets;
  if (secret === undefined) throw new PilotError('internal_error', 'There is no secret to sign a manifest with.');
  return { ...manifest, mac: macOf(secret, PURPOSE, canonical(manifest)).toString('hex') };
}

export const NO_MAC =
  'its manifest has no MAC: an older version of diun-pilot took it, or the MAC was removed by someone who can write to the storage';
const WRONG_MAC =
  'the MAC of its manifest is not by the PILOT_APPROVAL_SECRET of this diun-pilot: it was taken on another host or before the secret was replaced, or it was changed by someone who can write to the storage';

/** Why a manifest, as parsed JSON, is not authenticated; null: one of the secrets has signed just this content. */
export function whyNotAuthentic(secrets: readonly Secret[], written: unknown): string | null {
  if (typeof written !== 'object' || written === null) return NO_MAC;
  const { mac, ...content } = written as Record<string, unknown>;
  if (mac === undefined) return NO_MAC;
  const given = typeof mac === 'string' && /^[0-9a-f]{64}$/.test(mac) ? Buffer.from(mac, 'hex') : Buffer.alloc(0);
  return isSignedBy(secrets, PURPOSE, canonical(content), given) ? null : WRONG_MAC;
}

/** One spelling of a JSON value: keys in order, no blanks. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const fields = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`);
  return `{${fields.join(',')}}`;
}
