import { readTargets } from '../services/read-targets';
import { PilotError } from '../domain/errors';
import { firstRestoreJournal, type RestoreRecord } from '../domain/backups/restore';
import type { Progress } from '../lib/logger';
import type { Store } from '../ports/store';
import { checkSet } from './check-set';
import { findSet, notAuthenticated } from './find-set';
import { pinned } from './pinned-storage';
import { planRestore, type RestorePlan } from './plan-restore';
import type { RestoreDeps } from './restore-run';

export interface RestoreRequest {
  /** Id, address or folder of a set, or `latest`. */
  backup: string;
  /** Compose project, or container outside any, that the data goes to; left out: as the set says. */
  project?: string;
  /** Also a set that is not authenticated. */
  trust?: boolean;
}

export interface PlannedRestore extends RestorePlan {
  /** Of the manifest that was read for the plan. */
  manifestSha256: string;
}

/**
 * What a restore would do. Rejects with `backup_not_found`, `backup_not_verified` (no manifest, an object missing or
 * cut), `restore_refused` when the containers do not fit, and changes nothing.
 */
export async function planOfRestore(deps: RestoreDeps, { backup, project }: RestoreRequest): Promise<PlannedRestore> {
  const set = await findSet(deps, backup, project ?? null);
  const containers = await readTargets(deps);
  const plan = planRestore({ ...set, target: project ?? null, containers });
  if (plan.problems.length > 0) throw new PilotError('restore_refused', plan.problems.join(' '));
  return { ...plan, manifestSha256: set.sha256 };
}

/** The rest of what is found out before anything is stopped: the whole set is read. Changes nothing. */
export async function rehearse(deps: RestoreDeps, plan: RestorePlan, onProgress: Progress): Promise<void> {
  const journal = firstRestoreJournal(plan.manifest.id);
  const storage = pinned(deps.storage);
  await checkSet({
    ...deps,
    storage,
    plan,
    journal,
    save: () => undefined,
    onProgress,
    alsoStarts: null,
    ownLayer: 'refuse',
    deep: true,
  });
}

/**
 * Queues it for the process that uses this data directory. `trust`: the operator takes a set that is not authenticated;
 * that holds for the manifest of the plan and no other. Throws `backup_not_authenticated`.
 */
export function requestRestore(
  { restores }: Pick<Store, 'restores'>,
  { folder, url, manifest, distrust, manifestSha256 }: PlannedRestore,
  { project, trust = false }: Pick<RestoreRequest, 'project' | 'trust'>,
): RestoreRecord {
  if (distrust !== null && !trust) throw notAuthenticated(url, distrust);
  const trustedManifest = distrust === null ? null : manifestSha256;
  const updateId = null;
  return restores.insert({ backupId: manifest.id, folder, url, target: project ?? null, updateId, trustedManifest });
}
