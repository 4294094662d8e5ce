import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { BackupManifest } from '../domain/backups/backup';
import { BOUNDS } from '../domain/bounds';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { readWithin } from '../lib/streams/read-within';
import type { Secret } from '../lib/secret';
import type { BackupStorage } from '../ports/backup-storage';
import { whyNotAuthentic } from './manifest-mac';
import { manifestSchema } from './manifest-schema';
import { MANIFEST, manifestKey } from './set-keys';

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
  const json = parseJson(written.toString('utf8'));
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
  for (const [folder, objects] of folders) sets.push(await lookAt(storage, folder, objects, secrets));
  return sets.sort((a, b) => compare(timeOf(a), timeOf(b)));
}

async function lookAt(
  storage: BackupStorage,
  folder: string,
  objects: ReadonlyMap<string, number>,
  secrets: readonly Secret[],
): Promise<StoredSet> {
  const bytes = [...objects.values()].reduce((sum, size) => sum + size, 0);
  const set = { folder, url: storage.urlOf(folder), bytes, distrust: null, sha256: null };
  if (!objects.has(manifestKey(folder))) {
    return { ...set, manifest: null, problem: `has no ${MANIFEST}: this backup was never finished` };
  }
  try {
    const { manifest, distrust, sha256 } = await readManifest(storage, folder, secrets);
    const wrong = manifest.items.filter((item) => objects.get(item.key) !== item.bytes).map((item) => item.key);
    return {
      ...set,
      manifest,
      distrust,
      sha256,
      problem: wrong.length === 0 ? null : `missing or cut: ${wrong.join(', ')}`,
    };
  } catch (error) {
    if (!['backup_not_verified', 'object_not_found', 'object_archived'].includes(codeOf(error))) throw error;
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
