import { healthOf } from '../containers/check-health';
import { renameTo } from '../containers/rename-to';
import { startJoining } from '../containers/start-joining';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import type { Update } from '../domain/update';
import type { Progress } from '../lib/progress';
import { leaveTheNewOne, mustBeOurs, whatElseHappened } from './changed-meanwhile';
import { endNaming, endServing } from './end';
import { handBack, handsOver } from './hand-over';
import { nameWhatRuns } from './name-what-runs';
import { mayRestore, restoreAfterRollback } from './restore-after-rollback';
import { illAsBefore, removeNew, rollbackFailed } from './rollback-ends';
import type { Run } from './run';
import { reach, step } from './run';
import { othersStopped, serveAgain, startStopped } from './stopped-containers';
import { setNewAside } from './swap-containers';

/** Of a container without data of its own: a broken one is not waited for while nobody serves. */
const BROKEN_STOP_SECONDS = 2;

/** The old container itself is ill, and not one of those beside it: only then its data may be what it refuses. */
class OldIsIll extends PilotError {}

/**
 * Starts the untouched old container again and asks its health; `cause` is what it is rolled back for. Ends `rolled_back`
 * only when the very container that served before serves again; `rollback_failed` when not even its data, restored
 * from the backup of this update, makes it serve.
 */
export async function rollBack(run: Run, cause: PilotError): Promise<Update> {
  run.store.transaction(() => {
    reach(run, 'rolling_back');
    run.update = run.store.updates.change(run.update.id, { error: { code: cause.code, message: cause.message } });
  });
  try {
    await step(run, 'rollback', (progress) => bringOldBack(run, progress));
    await step(run, 'rollback_health_check', (progress) => allServeAgain(run, progress));
  } catch (failure) {
    if (codeOf(failure) === 'engine_unreachable') throw failure;
    return restoreOrGiveUp(run, cause, failure);
  }
  await removeNew(run);
  return endServing(run, 'rolled_back', cause);
}

async function bringOldBack(run: Run, progress: Progress): Promise<string> {
  await mustBeOurs(run);
  return handsOver(run) ? handBack(run, progress) : startOldAgain(run);
}

async function allServeAgain(run: Run, progress: Progress): Promise<string> {
  const seen = await oldServes(run, progress);
  return [seen, ...(await serveAgain(run, othersStopped(run), progress))].join('; ');
}

async function restoreOrGiveUp(run: Run, cause: PilotError, failure: unknown): Promise<Update> {
  const happened = await whatElseHappened(run);
  const ill = happened === null && failure instanceof OldIsIll;
  if (ill && (await mayRestore(run))) return restoreAfterRollback(run);
  await startStopped(run, othersStopped(run));
  await (happened === null ? removeNew(run) : leaveTheNewOne(run));
  const asBefore = ill ? await illAsBefore(run) : null;
  return endNaming(run, 'rollback_failed', rollbackFailed(cause, happened ?? failure, asBefore));
}

async function startOldAgain(run: Run): Promise<string> {
  const { engine, journal, update } = run;
  await setNewAside(run, keepsData(run.container) ? undefined : BROKEN_STOP_SECONDS);
  await renameTo(engine, journal.oldContainerId, journal.containerName);
  await startJoining(run, journal.oldContainerId);
  await nameWhatRuns(run);
  return `the old container ${journal.oldContainerId.slice(0, 12)} is started again, ${journal.oldReference} names its image (update ${update.id})`;
}

function keepsData({ database, labels }: Run['container']): boolean {
  return database || labels.backup !== null;
}

async function oldServes(run: Run, progress: Progress): Promise<string> {
  const { Id, RestartCount: restarts } = await bearerOfTheName(run);
  try {
    // Of one that was never stopped, restarts of last year are no crash of today.
    return await healthOf(run, Id, run.container, progress, restarts);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    throw new OldIsIll('unhealthy', messageOf(error), { cause: error });
  }
}

/** It must be the very container that served before, with the image that it ran. */
async function bearerOfTheName({ engine, journal }: Run): Promise<ContainerInspect> {
  const { containerName: name, oldContainerId, oldImageId } = journal;
  const bearer = await engine.inspectContainer(name);
  if (bearer.Id === oldContainerId && bearer.Image === oldImageId) return bearer;
  throw new PilotError('rollback_failed', `Another container bears the name ${name}: ${bearer.Id}.`);
}
