import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { BackupManifest } from '../domain/backup';
import type { BackupStorage } from '../ports/backup-storage';
import { readManifest } from './read-manifest';
import { manifestKey } from './set-keys';
import { notVerified } from './sources/item-source';

/** Writes the manifest, which makes the set a backup, and reads it back. */
export async function writeManifest(storage: BackupStorage, folder: string, manifest: BackupManifest): Promise<void> {
  await storage.put(manifestKey(folder), Readable.from([Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]));
  const stored = await readManifest(storage, folder);
  if (!isDeepStrictEqual(stored, manifest)) throw notVerified('the manifest', 'another one came back');
}
