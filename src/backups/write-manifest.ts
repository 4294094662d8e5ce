import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { BackupManifest } from '../domain/backups/backup';
import type { Secret } from '../lib/secret';
import type { BackupStorage } from '../ports/backup-storage';
import { sealed } from './manifest-mac';
import { readManifest } from './read-manifest';
import { manifestKey } from './set-keys';
import { notVerified } from './sources/item-source';

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
