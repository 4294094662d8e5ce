import { healthOf } from '../containers/check-health';
import { renameTo } from '../containers/rename-to';
import { startJoining } from '../containers/start-joining';
import { codeOf, PilotError, toPilotError } from '../domain/errors';
import type { Update } from '../domain/update';
import type { Progress } from '../lib/progress';
import { leaveTheNewOne, mustBeOurs, whatElseHappened } from './changed-meanwhile';
import { endNaming, endServing } from './end';
import { handBack, handsOver } from './hand-over';
import { mayRestore, restoreAfterRollback } from './restore-after-rollback';
import { illAsBefore, interruptedCause, removeNew, rollbackFailed } from './rollback-ends';
import { nameWhatRuns } from './name-what-runs';
import type { Run } from './run';
import { reach, step } from './run';
import { othersStopped, serveAgain, startStopped } from './stopped-containers';
import { setNewAside } from './swap-containers';

/** Of a container without data of its own: a broken one is not waited for while nobody serves. */
const BROKEN_STOP_SECONDS = 2;

/**
 * Starts the untouched old container again and asks its health. `cause` null: the rollback was interrupted, and the
 * update tells the cause. Ends `rolled_back` only when the very container that served before serves again.
 */
export async function rollBack(run: Run, cause: unknown): Promise<Update> {
  const reason = cause === null ? interruptedCause(run) : toPilotError(cause);
  run.store.transaction(() => {
    reach(run, 'rolling_back');
    run.update = run.store.updates.change(run.update.id, { error: { code: reason.code, message: reason.message } });
  });
  let oldIsHealthy = false;
  try {
    await step(run, 'rollback', async (progress) => {
      await mustBeOurs(run);
      return handsOver(run) ? handBack(run, progress) : startOldAgain(run);
    });
    await step(run, 'rollback_health_check', async (progress) => {
      const seen = await oldServes(run, progress);
      oldIsHealthy = true;
      return [seen, ...(await serveAgain(run, othersStopped(run), progress))].join('; ');
    });
  } catch (failure) {
    if (codeOf(failure) === 'engine_unreachable') throw failure;
    const happened = await whatElseHappened(run);
    const ill = !oldIsHealthy && codeOf(failure) === 'unhealthy';
    if (happened === null && ill && mayRestore(run)) return restoreAfterRollback(run);
    await startStopped(run, othersStopped(run));
    await (happened === null ? removeNew(run) : leaveTheNewOne(run));
    const asBefore = happened === null && ill ? await illAsBefore(run) : null;
    return endNaming(run, 'rollback_failed', rollbackFailed(reason, happened ?? failure, asBefore));
  }
  await removeNew(run);
  return endServing(run, 'rolled_back', reason);
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
  const { engine, journal } = run;
  const current = await engine.inspectContainer(journal.containerName);
  if (current.Id !== journal.oldContainerId || current.Image !== journal.oldImageId) {
    throw new PilotError(
      'rollback_failed',
      `Another container bears the name ${journal.containerName}: ${current.Id}.`,
    );
  }
  return healthOf(run, journal.oldContainerId, run.container, progress);
}
