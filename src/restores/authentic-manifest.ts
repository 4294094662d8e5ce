import { readManifest } from '../backups/manifest';
import type { BackupManifest } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';
import type { RestoreDeps } from './restore-run';

/**
 * The manifest of a set that may be restored: authenticated, or the very one that the operator trusts. Rejects with
 * `backup_not_authenticated`, and as `readManifest` does.
 */
export async function authenticManifest(
  { storage, approvalSecrets }: Pick<RestoreDeps, 'storage' | 'approvalSecrets'>,
  folder: string,
  { trustedManifest }: { trustedManifest: string | null } = { trustedManifest: null },
): Promise<BackupManifest> {
  const { manifest, distrust, sha256 } = await readManifest(storage, folder, approvalSecrets);
  if (distrust === null || sha256 === trustedManifest) return manifest;
  const changed = trustedManifest === null ? '' : ' It is also not the manifest that you saw when you confirmed.';
  throw notAuthenticated(storage.urlOf(folder), distrust, changed);
}

export function notAuthenticated(url: string, why: string, more = ''): PilotError {
  return new PilotError(
    'backup_not_authenticated',
    `The set ${url} is not authenticated: ${why}.${more} A restore runs what is in it as superuser of the database. Nothing was stopped and nothing was changed. If you know where it comes from: diun-pilot restore BACKUP --trust, or set PILOT_APPROVAL_SECRET to that of the host that took it.`,
  );
}
