import type { Deps } from '../deps';
import {
  type BackupPlace,
  type BackupReason,
  type BackupRecord,
  membersOf,
  samePlace,
  scopeName,
} from '../domain/backups/backup';
import type { Container } from '../domain/container';
import type { WorkOutcome } from '../domain/due-work';
import { codeOf, type Failure, messageOf, PilotError } from '../domain/errors';
import { backupFailed } from '../notifications/mails/backups';
import { postMail } from '../notifications/post-mail';
import type { Store } from '../ports/store';
import { readTargets } from '../services/read-targets';
import { backupSets } from './backup-set';
import { afterGoodBackup } from './set-notices';
import { takeBackup } from './take-backup';

const LOOK_BACK = 100;

interface RequestDeps {
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

/**
 * Takes the next requested backup. False: there is none. A failure is recorded and mailed, not thrown. Rejects when it cannot be
 * recorded, and as `readTargets`, to be called again.
 */
export async function runNextBackup(deps: Deps): Promise<boolean> {
  endRunning(deps, NOT_RECORDED);
  const record = deps.store.backups.nextQueued();
  if (record === null) return false;
  const members = membersOf(record, await readTargets(deps));
  try {
    await takeBackup(
      {
        ...deps,
        onProgress: () => undefined,
        onFailed: (failed) => mailOfFailure(deps, failed),
        onSucceeded: (good) => afterGoodBackup(deps, good),
      },
      { record, members, quiesced: false },
    );
  } catch (error) {
    if (!(error instanceof PilotError)) throw error;
    deps.logger.error('backup failed', { backup: record.id, code: codeOf(error), reason: messageOf(error) });
  }
  return true;
}

/** Of a record that is running when the worker comes to the next backup: it does one thing at a time. */
const NOT_RECORDED: Failure = {
  code: 'backup_failed',
  message:
    'The backup failed, and the database of diun-pilot could not be written at its end. The log of diun-pilot has the reason. Take it again: diun-pilot backup',
};

const INTERRUPTED: Failure = {
  code: 'interrupted',
  message: 'diun-pilot was stopped while this backup was taken. Take it again: diun-pilot backup',
};

/** A backup that was running when the service died has no manifest, so it is not a backup. Called once, at start. */
export function endInterruptedBackups(deps: Ending): void {
  endRunning(deps, INTERRUPTED);
}

type Ending = Pick<Deps, 'clock' | 'publicUrl' | 'store'>;

function endRunning(deps: Ending, error: Failure): void {
  const { store, clock } = deps;
  for (const record of store.backups.running()) {
    store.transaction(() => {
      const failed = store.backups.change(record.id, {
        status: 'failed',
        finishedAt: clock.now().toISOString(),
        error,
      });
      if (record.updateId === null) mailOfFailure(deps, failed);
    });
  }
}

function mailOfFailure({ store, publicUrl }: Pick<Deps, 'publicUrl' | 'store'>, backup: BackupRecord): void {
  const lastGood = store.backups.lastSucceeded(backup);
  postMail(store.outbox, backupFailed({ backup, lastGood, publicUrl }));
}
