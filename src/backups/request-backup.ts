import { samePlace, type BackupPlace, scopeName } from '../domain/backups/backup-place';
import { readTargets } from '../services/read-targets';
import type { Deps } from '../deps';
import type { BackupReason, BackupRecord } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import type { WorkOutcome } from '../domain/due-work';
import { PilotError } from '../domain/errors';
import type { Store } from '../ports/store';
import { backupSets } from './backup-set';

const LOOK_BACK = 100;

export interface RequestDeps {
  store: Pick<Store, 'backups' | 'transaction'>;
  /** All containers of the engine, as they are now. */
  containers: readonly Container[];
}

/**
 * Queues one backup for each set, or for that of one project (or of one container outside any project); a set that is
 * queued already is not queued twice. Resolves with the queued records, none when nothing carries `backup.kind`.
 *
 * Throws `container_not_found` for a name that none has, and `invalid_request` for a project that has no set.
 */
export function requestBackups(
  { store, containers }: RequestDeps,
  request: { project?: string; reason: Exclude<BackupReason, 'update'> },
): BackupRecord[] {
  const places = backupSets(containers)
    .map(({ place }) => place)
    .filter(
      (place) =>
        request.project === undefined || place.project === request.project || place.container === request.project,
    );
  if (places.length === 0 && request.project !== undefined) throw nothingToBackUp(containers, request.project);
  return store.transaction(() => places.map((place) => queue(store, place, request.reason)));
}

function queue(store: RequestDeps['store'], place: BackupPlace, reason: BackupReason): BackupRecord {
  const waiting = store.backups
    .list(LOOK_BACK)
    .find((record) => record.status === 'queued' && record.updateId === null && samePlace(record, place));
  return waiting ?? store.backups.insert({ ...place, reason, updateId: null });
}

function nothingToBackUp(containers: readonly Container[], project: string): PilotError {
  if (!containers.some((container) => container.project === project || container.name === project)) {
    const projects = [...new Set(backupSets(containers).map(({ place }) => place.project ?? place.container))];
    const known =
      projects.length === 0
        ? 'No container has the label backup.kind'
        : `Sets that can be backed up: ${projects.sort().join(', ')}`;
    return new PilotError('container_not_found', `There is no project and no container ${project}. ${known}.`);
  }
  return new PilotError(
    'invalid_request',
    `Nothing of ${project} can be backed up: none of its containers has the label backup.kind.`,
    { details: { project } },
  );
}

/** The daily backup of every set there is by then. */
export async function queueScheduledBackups(deps: Deps): Promise<WorkOutcome> {
  const containers = await readTargets(deps);
  const queued = requestBackups({ store: deps.store, containers }, { reason: 'schedule' });
  const sets = queued.map(scopeName).join(', ');
  return { outcome: sets === '' ? 'No container has the label backup.kind.' : `Requested: ${sets}.`, trouble: null };
}
