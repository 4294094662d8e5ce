import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { BackupManifest } from '../domain/backups/backup';
import { BOUNDS } from '../domain/bounds';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { isSignedBy, macOf, type Secret } from '../lib/secret';
import { readWithin } from '../lib/streams';
import type { BackupStorage } from '../ports/backup-storage';
import { MANIFEST, manifestKey } from './backup-set';
import { databaseProperties } from './sources/database-properties';
import { notVerified } from './sources/item-source';
import { jsonOrUndefined } from '../lib/json';
import { byCodeUnits } from '../domain/text/compare';

/** A manifest as the storage has it, and whether it can be trusted. */
export interface ManifestRead {
  manifest: BackupManifest;
  /** Why it is not authenticated; null: this diun-pilot, or one with the same secret, wrote just this. */
  distrust: string | null;
  /** SHA-256 of its bytes, by which the operator's trust is kept. */
  sha256: string;
}

/** A set as the storage has it, whatever the database knows: on a fresh host there is nothing else. */
export interface StoredSet {
  /** Key of its folder. */
  folder: string;
  url: string;
  /** Of all its objects. */
  bytes: number;
  /** Null when there is none, or none that can be read. */
  manifest: BackupManifest | null;
  /** As of a manifest that was read; null also without one. */
  distrust: string | null;
  sha256: string | null;
  /** Why the backup is not complete, as text; null for a complete one. */
  problem: string | null;
}

/**
 * Reads the manifest of one set. Rejects with `object_not_found` when there is none, `backup_not_verified` when it is
 * damaged, `object_archived`, and the storage's own errors.
 */
export async function readManifest(
  storage: BackupStorage,
  folder: string,
  secrets: readonly Secret[],
): Promise<ManifestRead> {
  const stored = await storage.get(manifestKey(folder));
  const written = await readWithin(stored, BOUNDS.backupManifest, ({ message }) => damaged(folder, message));
  const json = jsonOrUndefined(written.toString('utf8'));
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw damaged(folder, wordsOf(parsed.error));
  const foreign = parsed.data.items.find(({ key }) => !key.startsWith(`${folder}/`) || key.split('/').includes('..'));
  if (foreign !== undefined) throw damaged(folder, `it names ${foreign.key}, which is not in its folder`);
  const sha256 = createHash('sha256').update(written).digest('hex');
  return { manifest: parsed.data, distrust: whyNotAuthentic(secrets, json), sha256 };
}

/** Every set in the storage, newest last; also those that are damaged or were never finished, with their problem. */
export async function listBackupSets(storage: BackupStorage, secrets: readonly Secret[]): Promise<StoredSet[]> {
  const folders = new Map<string, Map<string, number>>();
  for (const { key, bytes } of await storage.list('')) {
    const folder = key.split('/').slice(0, -1).join('/');
    if (!/^[^/]+\/[^/]+$/.test(folder)) continue;
    folders.set(folder, (folders.get(folder) ?? new Map<string, number>()).set(key, bytes));
  }
  const sets: StoredSet[] = [];
  for (const [folder, objects] of folders) sets.push(await readStoredSet(storage, folder, objects, secrets));
  return sets.sort((a, b) => byCodeUnits(timeOf(a), timeOf(b)));
}

async function readStoredSet(
  storage: BackupStorage,
  folder: string,
  objects: ReadonlyMap<string, number>,
  secrets: readonly Secret[],
): Promise<StoredSet> {
  const bytes = [...objects.values()].reduce((sum, size) => sum + size, 0);
  const set = { folder, url: storage.urlOf(folder), bytes, distrust: null, sha256: null };
  if (!objects.has(manifestKey(folder))) {
    return { ...set, manifest: null, problem: `it has no ${MANIFEST}, so it was never finished` };
  }
  try {
    const { manifest, distrust, sha256 } = await readManifest(storage, folder, secrets);
    const wrong = manifest.items.filter((item) => objects.get(item.key) !== item.bytes).map((item) => item.key);
    return {
      ...set,
      manifest,
      distrust,
      sha256,
      problem: wrong.length === 0 ? null : `these objects are missing or truncated: ${wrong.join(', ')}`,
    };
  } catch (error) {
    if (!['backup_not_verified', 'object_not_found', 'object_archived'].includes(codeOf(error))) throw error;
    return { ...set, manifest: null, problem: messageOf(error).replace(/\.$/, '') };
  }
}

function wordsOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || MANIFEST}: ${issue.message}`).join('; ');
}

function damaged(folder: string, why: string): PilotError {
  return new PilotError('backup_not_verified', `The manifest of ${folder} is damaged: ${why}.`);
}

/** The folder's own name begins with the time, so that sets without a manifest have their place too. */
function timeOf(set: StoredSet): string {
  return set.folder.split('/')[1] ?? '';
}

/** Writes the manifest with its MAC, which makes the set a backup, and reads it back. */
export async function writeManifest(
  storage: BackupStorage,
  folder: string,
  manifest: BackupManifest,
  secrets: readonly Secret[],
): Promise<void> {
  const content = `${JSON.stringify(sealed(secrets, manifest), null, 2)}\n`;
  await storage.put(manifestKey(folder), Readable.from([Buffer.from(content)]));
  const stored = await readManifest(storage, folder, secrets);
  if (stored.distrust !== null || !isDeepStrictEqual(stored.manifest, manifest))
    throw notVerified('the manifest', 'another one came back');
}

/** Manifests are read from a storage that others may write to: each name is what diun-pilot itself would have written. */
const MOST_ITEMS = 10_000;
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => !CONTROL.test(text), 'has control characters');
const engineName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/, 'is not a name of a container or project');
const serviceName = z.string().regex(/^[a-zA-Z0-9._-]{1,255}$/, 'is not a name of a Compose service');
const id = z.string().regex(/^[0-9A-Za-z]{1,40}$/, 'is not an id');
const key = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/, 'is not a key that diun-pilot writes');

/** As `backup.paths`: absolute, without `..`. */
function isPath(name: string): boolean {
  const above = name.split('/').includes('..');
  return name.startsWith('/') && !above && !CONTROL.test(name) && name.length <= 4096;
}

/** PostgreSQL cuts longer names, and a name may hold anything but a zero byte. */
function isDatabase(name: string): boolean {
  return Buffer.byteLength(name) <= 63 && !name.includes('\0');
}

const NAMES = { files: isPath, database: isDatabase, globals: (name: string) => name === 'globals' };

const item = z
  .object({
    container: engineName,
    service: serviceName.nullable().optional(),
    image: z.object({ reference: line(4096), imageId: line(128) }),
    kind: z.enum(['database', 'globals', 'files']),
    name: z.string().min(1),
    key,
    bytes: z.number().int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    compression: z.enum(['gzip', 'none']),
    database: databaseProperties.nullable().optional(),
    verified: line(1000),
  })
  .refine(({ kind, name }) => NAMES[kind](name), { path: ['name'], message: 'is not a path or a database' });

const manifestSchema = z.object({
  format: z.literal(1),
  id,
  project: engineName.nullable(),
  createdAt: z.iso.datetime(),
  reason: z.enum(['update', 'operator', 'schedule']),
  updateId: id.nullable(),
  quiesced: z.boolean(),
  items: z.array(item).min(1).max(MOST_ITEMS),
}) satisfies z.ZodType<BackupManifest>;

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
  'the MAC of its manifest does not match the PILOT_APPROVAL_SECRET of this diun-pilot: the backup was taken on another host or before the secret was replaced, or it was changed by someone who can write to the storage';

/** Why a manifest, as parsed JSON, is not authenticated; null: one of the secrets has signed just this content. */
function whyNotAuthentic(secrets: readonly Secret[], written: unknown): string | null {
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
