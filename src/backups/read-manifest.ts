import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { BackupManifest } from '../domain/backup';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { BackupStorage } from '../ports/backup-storage';
import { MANIFEST, manifestKey } from './set-keys';
import { databaseProperties } from './sources/database-properties';

const item = z.object({
  container: z.string().min(1),
  service: z.string().nullable().optional(),
  image: z.object({ reference: z.string(), imageId: z.string() }),
  kind: z.enum(['database', 'globals', 'files']),
  name: z.string().min(1),
  key: z.string().min(1),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  compression: z.enum(['gzip', 'none']),
  database: databaseProperties.nullable().optional(),
  verified: z.string().min(1),
});

const manifest = z.object({
  format: z.literal(1),
  id: z.string().min(1),
  project: z.string().nullable(),
  createdAt: z.iso.datetime(),
  reason: z.enum(['update', 'operator', 'schedule']),
  updateId: z.string().nullable(),
  quiesced: z.boolean(),
  items: z.array(item).min(1),
}) satisfies z.ZodType<BackupManifest>;

/** A set as the storage has it, whatever the database knows: on a fresh host there is nothing else. */
export interface StoredSet {
  /** Key of its folder. */
  folder: string;
  url: string;
  /** Of all its objects. */
  bytes: number;
  /** Null when there is none, or none that can be read. */
  manifest: BackupManifest | null;
  /** Why it is no whole backup, in words; null for a whole one. */
  problem: string | null;
}

/**
 * Reads the manifest of one set. Rejects with `object_not_found` when there is none, `backup_not_verified` when it is
 * damaged, and the storage's own errors.
 */
export async function readManifest(storage: BackupStorage, folder: string): Promise<BackupManifest> {
  const written = await text(await storage.get(manifestKey(folder)));
  const parsed = manifest.safeParse(parseJson(written));
  if (!parsed.success) throw damaged(folder, wordsOf(parsed.error));
  const foreign = parsed.data.items.find(({ key }) => !key.startsWith(`${folder}/`) || key.split('/').includes('..'));
  if (foreign !== undefined) throw damaged(folder, `it names ${foreign.key}, which is not in its folder`);
  return parsed.data;
}

/** Every set in the storage, newest last; also those that are damaged or were never finished, with the problem told. */
export async function listBackupSets(storage: BackupStorage): Promise<StoredSet[]> {
  const folders = new Map<string, Map<string, number>>();
  for (const { key, bytes } of await storage.list('')) {
    const folder = key.split('/').slice(0, -1).join('/');
    if (!/^[^/]+\/[^/]+$/.test(folder)) continue;
    folders.set(folder, (folders.get(folder) ?? new Map<string, number>()).set(key, bytes));
  }
  const sets: StoredSet[] = [];
  for (const [folder, objects] of folders) sets.push(await lookAt(storage, folder, objects));
  return sets.sort((a, b) => compare(timeOf(a), timeOf(b)));
}

async function lookAt(
  storage: BackupStorage,
  folder: string,
  objects: ReadonlyMap<string, number>,
): Promise<StoredSet> {
  const bytes = [...objects.values()].reduce((sum, size) => sum + size, 0);
  const set = { folder, url: storage.urlOf(folder), bytes };
  if (!objects.has(manifestKey(folder))) {
    return { ...set, manifest: null, problem: `has no ${MANIFEST}: this backup was never finished` };
  }
  try {
    const manifest = await readManifest(storage, folder);
    const wrong = manifest.items.filter((item) => objects.get(item.key) !== item.bytes).map((item) => item.key);
    return { ...set, manifest, problem: wrong.length === 0 ? null : `missing or cut: ${wrong.join(', ')}` };
  } catch (error) {
    if (!['backup_not_verified', 'object_not_found'].includes(codeOf(error))) throw error;
    return { ...set, manifest: null, problem: messageOf(error) };
  }
}

function parseJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined; // which no schema accepts
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

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
