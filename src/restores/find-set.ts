import { listBackupSets, type StoredSet } from '../backups/manifest';
import type { BackupManifest } from '../domain/backups/backup';
import { PilotError } from '../domain/errors';
import type { RestoreDeps } from './restore-run';

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
    const words = `The set ${found.url} is not a complete backup: it ${found.problem}. Nothing was stopped and nothing was changed.`;
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
    `The storage has sets of ${[...places].sort().join(', ')}, so latest names none of them: give an id of one of these.${others(sets)}`,
  );
}

/** The folder's first part is the project, or the one container. */
function placeIn({ folder }: StoredSet): string {
  return folder.split('/')[0] ?? '';
}

function isNamed({ folder, url, manifest }: StoredSet, named: string): boolean {
  const plain = named.replace(/\/+$/, '');
  return [manifest?.id, folder, url.replace(/\/+$/, '')].includes(plain) || folder.endsWith(`-${plain}`);
}

function notFound(named: string, sets: StoredSet[]): PilotError {
  return new PilotError('backup_not_found', `There is no backup ${named} in the storage.${others(sets)}`);
}

const MOST_LISTED = 5;

function others(sets: StoredSet[]): string {
  const whole = sets.filter(isWhole).slice(-MOST_LISTED).reverse();
  if (whole.length === 0) return ' It holds no whole set: see PILOT_BACKUP_URL.';
  return ` Whole sets, newest first: ${whole.map((set) => `${set.manifest.id} (${placeIn(set)}, ${set.manifest.createdAt})`).join(', ')}.`;
}
