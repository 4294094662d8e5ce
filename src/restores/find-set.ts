import { folderOf } from '../backups/backup-set';
import { listBackupSets, readManifest, type StoredSet } from '../backups/manifest';
import type { BackupManifest, BackupRecord } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';
import { formatTime } from '../domain/format';
import type { RestoreDeps } from './restore-run';
import { withoutTrailingSlashes } from '../domain/text/trailing-slashes';

export type WholeSet = StoredSet & { manifest: BackupManifest; sha256: string };

/**
 * The set that a person means: by id, by folder or address in the storage, or `latest`, which is the newest whole one (of
 * `project`, where given and there is one). Asked of the storage alone, so that it works on a fresh host.
 *
 * Rejects with `backup_not_found`, `backup_not_verified` for a damaged one, and the storage's own errors.
 */
export async function findSet(
  { storage, approvalSecrets }: Pick<RestoreDeps, 'storage' | 'approvalSecrets'>,
  named: string,
  project: string | null,
): Promise<WholeSet> {
  const sets = await listBackupSets(storage, approvalSecrets);
  const found = named === 'latest' ? latest(sets, project) : sets.find((set) => isNamed(set, named));
  if (found === undefined) throw notFound(named, sets);
  if (!isWhole(found)) {
    const words = `The set ${found.url} is not a complete backup: ${found.problem}. Nothing was stopped and nothing was changed.`;
    throw new PilotError('backup_not_verified', `${words}${others(sets)}`);
  }
  return found;
}

function isWhole(set: StoredSet): set is WholeSet {
  return set.manifest !== null && set.sha256 !== null && set.problem === null;
}

function latest(sets: StoredSet[], project: string | null): WholeSet | undefined {
  const whole = sets.filter(isWhole);
  const own = whole.filter((set) => project !== null && placeIn(set) === project);
  const candidates = own.length > 0 ? own : whole;
  const places = new Set(candidates.map(placeIn));
  if (places.size < 2) return candidates.at(-1);
  throw new PilotError(
    'backup_not_found',
    `The storage has sets of ${[...places].sort().join(', ')}, so "latest" is ambiguous. Add --project NAME, or name a set by its ID.${others(sets)}`,
  );
}

/** The folder's first part is the project, or the one container. */
function placeIn({ folder }: StoredSet): string {
  return folder.split('/')[0] ?? '';
}

function isNamed({ folder, url, manifest }: StoredSet, named: string): boolean {
  const plain = withoutTrailingSlashes(named);
  return [manifest?.id, folder, withoutTrailingSlashes(url)].includes(plain) || folder.endsWith(`-${plain}`);
}

function notFound(named: string, sets: StoredSet[]): PilotError {
  return new PilotError('backup_not_found', `There is no backup ${named} in the storage.${others(sets)}`);
}

const MOST_LISTED = 5;

function others(sets: StoredSet[]): string {
  const whole = sets.filter(isWhole).slice(-MOST_LISTED).reverse();
  if (whole.length === 0) return ' The storage holds no complete set: check PILOT_BACKUP_URL.';
  return ` Complete sets, newest first: ${whole.map((set) => `${set.manifest.id} (${placeIn(set)}, ${formatTime(set.manifest.createdAt)})`).join(', ')}.`;
}

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

/** Key of the folder that a backup's objects lie in. Throws `restore_refused` for a record that names none. */
export function folderToRestore(record: Pick<BackupRecord, 'items' | 'id'>): string {
  const folder = folderOf(record);
  if (folder === null) throw new PilotError('restore_refused', `The record of backup ${record.id} names no object.`);
  return folder;
}
