import { asOther, healthOf } from '../containers/check-health';
import type { Deps } from '../deps';
import { changeAsDetail } from '../domain/data/compare-fingerprints';
import {
  isEngineLost,
  messageOf,
  isRefusedByDatabase,
  type PilotError,
  rethrowUndecided,
  toPilotError,
} from '../domain/errors';
import type { Stage } from '../domain/journal';
import type { Update } from '../domain/update';
import type { Progress } from '../lib/logger';
import { backUpProject } from './backup/back-up-project';
import { othersStopped, restartAndVerify, startedByOthers, startStopped } from './backup/stopped-containers';
import { cleanUp } from './clean-up';
import { assertNoExternalChange } from './external-change';
import { lookForChange } from './fingerprint/data-change';
import { finishHealthy, finishUntouched } from './finish';
import { approvedMajor } from './major/data-directory';
import { loadData, moveData } from './major/move-and-load';
import { seeToNeighbours } from './neighbours/see-to-neighbours';
import { putTagBack } from './new-tag/keep-tag';
import { checkDiskSpace, preflight } from './preflight/preflight';
import { prepareReplacement } from './prepare-replacement';
import { pullByDigest } from './pull-by-digest';
import { restoreAfterRollback } from './rollback/restore-after-rollback';
import { rollBack } from './rollback/roll-back';
import { whyRolledBack } from './rollback/rollback-ends';
import { checkpoint, newContainerOf, type Run, Skipped, step } from './run';
import { openRun } from './start/open-run';
import { drainOld, handsOver, startAlongside, swapContainers } from './swap-containers';

/**
 * Updates one container to one digest, from the backup to the verdict; or, after a crash, continues from the stage in
 * the journal. Whatever happens, exactly one whole container of that name is left, the local tag names the image
 * it runs, and the verdict is stored with its mail.
 *
 * Rejects only with `engine_unreachable`, or as the database refuses: then nothing can be known or written, the update stays `running`, and it
 * is called again once an engine answers, or the database can be written.
 */
export async function updateContainer(deps: Deps, update: Update): Promise<Update> {
  const run = await openRun(deps, update);
  if ('ended' in run) return run.ended;
  try {
    return await toItsEnd(run);
  } catch (error) {
    if (isEngineLost(error)) checkpoint(run, run.journal.stage, { engineLost: true });
    // Nothing was changed yet: what was stopped for the backup does not wait for the database.
    if (isRefusedByDatabase(error) && isAt(run, 'preparing')) await startStopped(run);
    throw error;
  }
}

async function toItsEnd(run: Run): Promise<Update> {
  try {
    if (isAt(run, 'preparing')) await prepare(run);
    if (isAt(run, 'moving') || (isAt(run, 'preparing') && approvedMajor(run) !== null)) await move(run);
    if (isAt(run, 'preparing') || isAt(run, 'swapping')) await recreate(run);
    if (isAt(run, 'loading')) await load(run);
    if (isAt(run, 'checking')) await check(run);
    if (isAt(run, 'rolling_back')) {
      await putTagBack(run);
      return await rollBack(run, whyRolledBack(run.update));
    }
    if (isAt(run, 'restoring')) return await restoreAfterRollback(run);
  } catch (error) {
    rethrowUndecided(error);
    return isAt(run, 'preparing') ? finishUntouched(run, error) : rollBack(run, causeOf(run, error));
  }
  await cleanUp(run);
  return finishHealthy(run, 'succeeded');
}

/** What a rollback under way is for stays its cause, whatever failed in it. */
function causeOf({ update, logger }: Run, error: unknown): PilotError {
  if (update.error === null) return toPilotError(error);
  logger.error('a rollback failed unexpectedly and is repeated', { update: update.id, reason: messageOf(error) });
  return whyRolledBack(update);
}

/** The old container is untouched all through this: it serves, or was stopped for the backup of its own data. */
async function prepare(run: Run): Promise<void> {
  await step(run, 'backup', async (progress) => {
    const disk = await checkDiskSpace(run);
    const done = await backUpProject(run, progress);
    if (disk === null) return done;
    return done instanceof Skipped ? new Skipped(`${done.reason} But ${disk}.`) : `${done}; but ${disk}`;
  });
  await step(run, 'pull', (progress) => pullByDigest(run, progress));
  await step(run, 'preflight', () => preflight(run));
}

/** A new PostgreSQL major: an empty data directory of it takes the place of the old one. */
async function move(run: Run): Promise<void> {
  await step(run, 'move_data', (progress) => moveData(run, progress));
  checkpoint(run, 'swapping');
}

/**
 * The new container is created and compared next to the old one; only then come the seconds without service, or, in a
 * handover, the time in which both serve.
 */
async function recreate(run: Run): Promise<void> {
  await step(run, 'recreate', async () => {
    if (isAt(run, 'preparing')) {
      await prepareReplacement(run);
      await assertNoExternalChange(run);
      if ((await startedByOthers(run)).length > 0) checkpoint(run, 'preparing', { released: true });
    }
    checkpoint(run, 'swapping');
    return handsOver(run) ? startAlongside(run) : swapContainers(run);
  });
  checkpoint(run, run.journal.major === undefined ? 'checking' : 'loading');
}

/** A new PostgreSQL major: those that write to it stay stopped until it has the data of the old one. */
async function load(run: Run): Promise<void> {
  await step(run, 'load_data', (progress) => loadData(run, progress));
  checkpoint(run, 'checking');
}

async function check(run: Run): Promise<void> {
  await step(run, 'health_check', async (progress) => {
    const drained = handsOver(run) ? [await drainOld(run, progress)] : [];
    return [...drained, await checkNewContainer(run, progress)].join('; ');
  });
  checkpoint(run, 'settled');
}

/**
 * Asks the new container's health, and what it changed in the data; then starts those that were stopped for the backup and
 * asks theirs, and sees to all that is next to it.
 */
async function checkNewContainer(run: Run, progress: Progress): Promise<string> {
  const seen = [await healthOf(run, newContainerOf(run), run.container, progress)];
  const change = await lookForChange(run, progress);
  if (change !== null) seen.push(changeAsDetail(change));
  return [...seen, ...(await othersServe(run, progress))].join('; ');
}

/** Rejects with `other_unhealthy`: it is not known whether the new image is the cause. */
function othersServe(run: Run, progress: Progress): Promise<string[]> {
  return asOther(() => askOthers(run, progress));
}

async function askOthers(run: Run, progress: Progress): Promise<string[]> {
  const stopped = othersStopped(run);
  if (stopped.length > 0) checkpoint(run, 'checking', { released: true });
  const seen = await restartAndVerify(run, stopped, progress);
  return [...seen, ...(await seeToNeighbours(run, progress, true))];
}

function isAt(run: Run, stage: Stage): boolean {
  return run.journal.stage === stage;
}
