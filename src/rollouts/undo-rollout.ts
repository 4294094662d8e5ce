import { isServer } from '../domain/backups/backup';
import { firstRestoreJournal, leftBy, restoredDetail, type RestoreJournal } from '../domain/backups/restore';
import { notStartedText } from '../domain/data/compare-fingerprints';
import {
  codeOf,
  isEngineLost,
  messageOf,
  PilotError,
  rethrowUndecided,
  toPilotError,
  withCause,
} from '../domain/errors';
import { failsAsBefore, type HealthFailure } from '../domain/health/health-failure';
import { ownScale } from '../domain/services/rollout';
import { replicasOf } from '../domain/services/swarm-inspect';
import type { Update } from '../domain/update';
import type { Progress } from '../lib/logger';
import { authenticManifest, folderToRestore } from '../restores/find-set';
import { restoreData } from '../restores/restore-data';
import { restoreRun } from '../restores/restore-run';
import { serviceFailureOf } from '../services/look-at-target';
import {
  databasesLeft,
  dataChangedError,
  rollbackFailed,
  whyRolledBack,
  WOULD_BE_LOST,
} from '../updates/rollback/rollback-ends';
import { Skipped, step } from '../updates/run';
import { checkService } from './check-rollout';
import { changedData, rolloutChangedData, mayRestoreStack, membersNow, mustBeAtZero } from './data-of-stack';
import { finishService } from './finish-rollout';
import { followRollback, scaledUp, updateUnchanged, withImage } from './roll-out';
import { checkpointRollout, scaledToZero, see, type ServiceRun } from './rollout-run';
import { noteReplicas, noteScaledBack, noTaskRuns, othersServe, release, withReplicas } from './scale-to-zero';

/**
 * Takes the service back to the image from before, by Swarm's own rollback, and asks the health of its tasks; `cause` is what for.
 * What the new version changed in the data is restored from the backup of this update, if no other service can have written since.
 * What another client changed is left alone: only that client knows what it wants.
 */
export async function rollBackService(run: ServiceRun, cause: PilotError): Promise<Update> {
  if (cause.code === 'changed_meanwhile') return finishService(run, 'rollback_failed', cause);
  run.store.transaction(() => {
    checkpointRollout(run, 'rolling_back');
    run.update = run.store.updates.change(run.update.id, { error: { code: cause.code, message: cause.message } });
  });
  try {
    await step(run, 'rollback', (progress) => goBack(run, progress));
    await step(run, 'rollback_health_check', (progress) => oldServes(run, progress));
  } catch (failure) {
    rethrowUndecided(failure);
    return finishService(run, 'rollback_failed', rollbackFailed(cause, failure, await asBefore(run, failure)));
  }
  if (run.rollout.dataGoesBack === true) return restoreStack(run);
  if (!rolloutChangedData(run)) return finishService(run, 'rolled_back', cause);
  return finishService(run, 'rollback_failed', dataChangedError(run.rollout.dataChange, cause, WOULD_BE_LOST));
}

/** Swarm may have gone back on its own (`failure_action: rollback`), or before a crash. */
async function goBack(run: ServiceRun, progress: Progress): Promise<string> {
  if (await isDecidedAtZero(run, progress))
    return `${run.rollout.name} has its old image again, and no task of it runs yet`;
  const { service, image } = await see(run);
  const { oldImage, newImage } = run.rollout;
  if (image === newImage) {
    const { PreviousSpec } = service;
    const remembered =
      PreviousSpec?.TaskTemplate.ContainerSpec?.Image === oldImage &&
      replicasOf(PreviousSpec) === replicasOf(service.Spec);
    await updateUnchanged(run, service, (now) =>
      remembered ? run.swarm.rollBack(now) : run.swarm.update(now, scaledUp(run, withImage(now.Spec, oldImage))),
    );
  } else if (scaledUp(run, service.Spec) !== service.Spec)
    await updateUnchanged(run, service, (now) => run.swarm.update(now, scaledUp(run, now.Spec)));
  noteScaledBack(run, service.ID);
  return followRollback(run, progress);
}

/**
 * Of a service that was scaled to 0 for its backup: no task of the old image may write to data that is about to be replaced. So it
 * is scaled to 0 with its old image, and the data is compared, before one starts. True: the data goes back first.
 */
async function isDecidedAtZero(run: ServiceRun, progress: Progress): Promise<boolean> {
  const { dataGoesBack, oldImage } = run.rollout;
  if (ownScale(run.rollout) === null || dataGoesBack === false) return false;
  if (dataGoesBack === undefined) {
    const { service, image } = await see(run);
    if (replicasOf(service.Spec) === 0 && image !== oldImage) throw scaledToZero(run.rollout.name);
    noteReplicas(run, service);
    try {
      await updateUnchanged(run, service, (now) =>
        run.swarm.update(now, withReplicas(withImage(now.Spec, oldImage), 0)),
      );
    } catch (error) {
      if (!isEngineLost(error)) noteScaledBack(run, service.ID);
      throw error;
    }
    await noTaskRuns(run, service, progress);
    await changedData(run, progress);
  }
  return decideOnData(run);
}

/** Once the answer was no, services have been scaled back that write to the data, so it stays no after a crash. */
async function decideOnData(run: ServiceRun): Promise<boolean> {
  const { dataGoesBack = rolloutChangedData(run) && (await mayRestoreStack(run)) } = run.rollout;
  checkpointRollout(run, 'rolling_back', { dataGoesBack });
  if (!dataGoesBack) release(run);
  return dataGoesBack;
}

async function oldServes(run: ServiceRun, progress: Progress): Promise<string | Skipped> {
  if (run.rollout.dataGoesBack === true && ownScale(run.rollout) !== null)
    return new Skipped(notStartedText(run.rollout.dataChange));
  const seen = [await checkService(run, run.rollout.oldImage, progress), ...(await changedData(run, progress))];
  // A database server had to run before it could be read; the services that write to it are still at 0.
  if (run.target !== null && isServer(run.target) && (await decideOnData(run))) return seen.join('; ');
  return [...seen, ...(await othersServe(run, progress))].join('; ');
}

/**
 * The data of this update's backup takes the place of what the new version changed, and the old version is started on it. Ends
 * `rolled_back` when it is healthy, with all that were scaled to 0; else `rollback_failed`. Goes on from the journal after a crash.
 */
export async function restoreStack(run: ServiceRun): Promise<Update> {
  const cause = whyRolledBack(run.update);
  checkpointRollout(run, 'restoring', { restore: run.rollout.restore ?? firstRestoreJournal(run.update.id) });
  let restored = false;
  try {
    // A crash may have come after it: what its files went through is gone then.
    if (!isRestored(run)) await step(run, 'restore', (progress) => restore(run, progress));
    restored = true;
    await step(run, 'restore_health_check', (progress) => allServe(run, progress));
  } catch (failure) {
    rethrowUndecided(failure);
    if (restored) return finishService(run, 'rollback_failed', rollbackFailed(cause, failure, null));
    if (leftBy(run.rollout.restore ?? null) !== 'half')
      return finishService(run, 'rollback_failed', await onChangedData(run, cause, failure));
    const half = new PilotError(
      'rollback_failed',
      withCause(leftAtZero(run), 'The restore failed:', toPilotError(failure)),
    );
    return finishService(run, 'rollback_failed', rollbackFailed(cause, half, null), { mayRun: false });
  }
  const left = databasesLeft(run.rollout.dataChange, cause);
  return left === null ? finishService(run, 'rolled_back', cause) : finishService(run, 'rollback_failed', left);
}

/** The data could not be restored: whether the old version is healthy with it as it is now, only its tasks can say. */
async function onChangedData(run: ServiceRun, cause: PilotError, failure: unknown): Promise<PilotError> {
  try {
    await step(run, 'restore_health_check', (progress) => allServe(run, progress));
    return dataChangedError(run.rollout.dataChange, cause, messageOf(failure));
  } catch (unwell) {
    rethrowUndecided(unwell);
    const message = withCause(unwell, 'The data was not restored:', toPilotError(failure));
    return rollbackFailed(cause, new PilotError('rollback_failed', message, { cause: unwell }), null);
  }
}

function isRestored({ rollout: { restore: journal } }: ServiceRun): boolean {
  return journal?.stage === 'starting' && journal.tidied === true;
}

async function restore(run: ServiceRun, onProgress: Progress): Promise<string> {
  const backup = run.store.backups.of(run.update);
  const journal = run.rollout.restore as RestoreJournal;
  if (backup === null) throw new PilotError('restore_refused', 'The record of the backup of this update is gone.');
  const folder = folderToRestore(backup);
  const manifest = journal.manifest ?? (await authenticManifest(run, folder));
  const containers = (await membersNow(run)).map((member) => ({ ...member, dependsOn: [] }));
  await restoreData(
    restoreRun({
      ...run,
      set: { folder, url: backup.url ?? '', manifest, containers, byRollback: true },
      logger: run.logger.child({ update: run.update.id, backup: backup.id }),
      journal,
      save: (reached) => checkpointRollout(run, 'restoring', { restore: reached }),
      onProgress,
      alsoStarts: null,
      ownLayer: 'untouched',
      writers: 'scaled to 0',
      mayStillSwap: () => mustBeAtZero(run),
    }),
  );
  return restoredDetail(manifest.createdAt, run.rollout.restore?.kept ?? []);
}

async function allServe(run: ServiceRun, progress: Progress): Promise<string> {
  const { service } = await see(run);
  if (scaledUp(run, service.Spec) !== service.Spec)
    await updateUnchanged(run, service, (now) => run.swarm.update(now, scaledUp(run, now.Spec)));
  noteScaledBack(run, service.ID);
  const seen = await checkService(run, run.rollout.oldImage, progress);
  return [seen, ...(await othersServe(run, progress))].join('; ');
}

function leftAtZero({ rollout: { scaled = [] } }: ServiceRun): string {
  const names = scaled.map(({ name }) => name).join(', ');
  return `Left at 0 replicas, because the data was only partly restored: ${names}.`;
}

/** Whether the old version fails as it did before the update, so that its health says nothing. */
async function asBefore(run: ServiceRun, failure: unknown): Promise<HealthFailure | null> {
  const { unhealthyBefore } = run.rollout;
  if (unhealthyBefore === undefined || run.target === null || codeOf(failure) !== 'unhealthy') return null;
  const now = await serviceFailureOf(run, run.target);
  return failsAsBefore(unhealthyBefore, now) ? unhealthyBefore : null;
}
