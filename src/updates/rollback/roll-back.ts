import { asOther, healthOf } from '../../containers/check-health';
import { insist, insistOr } from '../../containers/insist';
import { inspectIfThere } from '../../containers/read-containers';
import { renameTo, startJoining } from '../../containers/start-stop-remove';
import { isServer } from '../../domain/backups/backup';
import { changeAsDetail, notStartedText } from '../../domain/data/compare-fingerprints';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowUndecided } from '../../domain/errors';
import { shortId } from '../../domain/format';
import { wasDoneExternally } from '../../domain/health/health-failure';
import { judgeSoak } from '../../domain/soak/soak';
import type { Update } from '../../domain/update';
import type { Progress } from '../../lib/logger';
import { othersStopped, restartAndVerify, startedByOthers, startStopped } from '../backup/stopped-containers';
import { assertNoExternalChange, detectExternalChange, promoteNewContainer } from '../external-change';
import { hasChangedData, lookForChange } from '../fingerprint/data-change';
import { finishHealthy, finishRetagged } from '../finish';
import { syncLocalTag } from '../local-tag';
import { dataFollows, putDataBack } from '../major/data-directory';
import { seeToNeighbours } from '../neighbours/see-to-neighbours';
import { checkpoint, type Run, Skipped, step } from '../run';
import { handBack, handsOver, renameNew } from '../swap-containers';
import { isBackupChosen, mayRestore, restoreAfterRollback } from './restore-after-rollback';
import { dataChangedError, removeNew, rollbackFailed, sameFailureAsBefore, WOULD_BE_LOST } from './rollback-ends';

/** Of a container without data of its own: a broken one is not waited for while the service is down. */
const BROKEN_STOP_SECONDS = 2;

/** The old container itself is unhealthy (not a dependent), so its data may be incompatible. */
class OldContainerUnhealthy extends PilotError {}

/**
 * Starts the untouched old container again and asks its health; `cause` is what it is rolled back for. Ends `rolled_back`
 * only when the very container that served before is running again, with the data from before: what the new version has
 * changed is restored from the backup of this update if no one else can have written since. Else `rollback_failed`.
 */
export async function rollBack(run: Run, cause: PilotError): Promise<Update> {
  beginRollback(run, cause);
  try {
    await step(run, 'rollback', (progress) => bringOldBack(run, progress));
    await step(run, 'rollback_health_check', (progress) => allServeAgain(run, progress));
  } catch (failure) {
    rethrowUndecided(failure);
    return restoreOrGiveUp(run, cause, failure);
  }
  if (run.journal.dataGoesBack === true) return restoreAfterRollback(run);
  await removeNew(run);
  if (!hasChangedData(run)) return finishHealthy(run, 'rolled_back', cause);
  return finishHealthy(run, 'rollback_failed', dataChangedError(run.journal.dataChange, cause, WOULD_BE_LOST));
}

/** Throws `cause` where it cannot be recorded: once it can be, that is what the update is rolled back for. */
function beginRollback(run: Run, cause: PilotError): void {
  const { store, update, logger } = run;
  try {
    store.transaction(() => {
      checkpoint(run, 'rolling_back');
      run.update = store.updates.change(update.id, { error: { code: cause.code, message: cause.message } });
    });
  } catch (error) {
    logger.error('the start of a rollback could not be recorded', { update: update.id, reason: messageOf(error) });
    throw cause;
  }
}

function bringOldBack(run: Run, progress: Progress): Promise<string> {
  return insist(run, `the rollback of update ${run.update.id}`, async () => {
    await assertNoExternalChange(run);
    return handsOver(run) ? handBack(run, progress) : startOldAgain(run, progress);
  });
}

async function allServeAgain(run: Run, progress: Progress): Promise<string | Skipped> {
  if (run.journal.dataGoesBack === true) return new Skipped(whyNotStarted(run));
  const seen = [await oldServes(run, progress)];
  const change = await lookForChange(run, progress);
  if (change !== null) seen.push(changeAsDetail(change));
  // A database server had to be started before it could be read; those that write to it are still stopped.
  if (isServer(run.container) && (await decideOnData(run))) return seen.join('; ');
  seen.push(...(await othersServeAgain(run, progress)));
  return [...seen, ...(await seeToNeighbours(run, progress, run.journal.oldStopped))].join('; ');
}

/** Rejects with `other_unhealthy`: the old container itself is healthy. */
function othersServeAgain(run: Run, progress: Progress): Promise<string[]> {
  return asOther(() => restartAndVerify(run, othersStopped(run), progress));
}

async function restoreOrGiveUp(run: Run, cause: PilotError, failure: unknown): Promise<Update> {
  const happened = await insistOr(run, 'the look for external changes', () => detectExternalChange(run), null);
  const unhealthy =
    happened === null && failure instanceof OldContainerUnhealthy && !(await isDoneExternally(run, failure));
  const asBefore = unhealthy ? await sameFailureAsBefore(run) : null;
  // One that failed in the same way before the update does not do so for what the new version wrote.
  const mayHelp = unhealthy && (asBefore === null || hasChangedData(run) || isBackupChosen(run));
  if (mayHelp && (await mayRestore(run))) return restoreAfterRollback(run);
  if (happened !== null) await dataFollows(run);
  await startStopped(run, othersStopped(run));
  await (happened === null ? removeNew(run) : promoteNewContainer(run));
  return finishRetagged(run, 'rollback_failed', rollbackFailed(cause, happened ?? failure, asBefore));
}

/**
 * Whether another process stopped, paused or removed the old container, as far as Docker can say it: the data to which it has
 * been writing is not replaced for that. One that cannot be described may have been.
 */
async function isDoneExternally(run: Run, failure: PilotError): Promise<boolean> {
  if (wasDoneExternally(failure)) return true;
  const { oldContainerId: id, containerName: name } = run.journal;
  const old = await insistOr(run, `the look at ${name}`, () => inspectIfThere(run.engine, id), null);
  return old === null || ['stopped', 'left'].includes(judgeSoak(old, old.RestartCount).state);
}

/** The old version must not write to data of the new one that is about to be replaced: then it is not started yet. */
async function startOldAgain(run: Run, progress: Progress): Promise<string> {
  const { engine, journal, update } = run;
  await renameNew(run, keepsData(run) ? undefined : BROKEN_STOP_SECONDS);
  if (!isServer(run.container)) await lookForChange(run, progress);
  await renameTo(engine, journal.oldContainerId, journal.containerName);
  await putDataBack(run);
  const old = `the old container ${shortId(journal.oldContainerId)}`;
  const stays = !isServer(run.container) && (await decideOnData(run));
  if (!stays) await startJoining(run, journal.oldContainerId);
  await syncLocalTag(run);
  const what = stays ? `${old} has its name again and is not started yet` : `${old} is started again`;
  return `${what}, ${journal.oldReference} names its image (update ${update.id})`;
}

/**
 * Whether the data is restored before anything runs on it. Once the answer was no, containers have been started that write
 * to it, so it stays no after a crash.
 */
async function decideOnData(run: Run): Promise<boolean> {
  if (run.journal.dataGoesBack === false) return false;
  const dataGoesBack =
    isBackupChosen(run) || (hasChangedData(run) && (await nothingWrites(run)) && (await mayRestore(run)));
  checkpoint(run, 'rolling_back', { dataGoesBack });
  return dataGoesBack;
}

/** The old container is among those that must still be stopped, unless it is the server. */
async function nothingWrites(run: Run): Promise<boolean> {
  return (await startedByOthers(run)).length === 0;
}

function whyNotStarted(run: Run): string {
  if (isBackupChosen(run)) return 'The backup from before the update is restored first, as the operator chose.';
  return notStartedText(run.journal.dataChange);
}

function keepsData({ container: { database, labels }, journal }: Run): boolean {
  return database || labels.backup !== null || journal.fingerprint !== undefined;
}
async function oldServes(run: Run, progress: Progress): Promise<string> {
  const { Id, RestartCount: restarts } = await bearerOfTheName(run);
  try {
    // Of one that was never stopped, restarts of last year are no crash of today.
    return await healthOf(run, Id, run.container, progress, restarts);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new OldContainerUnhealthy('unhealthy', messageOf(error), { cause: error });
  }
}

/** It must be the very container that served before, with the image that it ran. */
async function bearerOfTheName(run: Run): Promise<ContainerInspect> {
  const { engine, journal } = run;
  const { containerName: name, oldContainerId, oldImageId } = journal;
  const bearer = await insist(run, `the look at ${name}`, () => engine.inspectContainer(name));
  if (bearer.Id === oldContainerId && bearer.Image === oldImageId) return bearer;
  throw new PilotError('rollback_failed', `Another container has the name ${name}: ${bearer.Id}.`);
}
