import { healthFailureOf, healthOf } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { inspectIfThere, readContainers } from '../../containers/read-containers';
import { startJoining } from '../../containers/start-stop-remove';
import { type BackupRecord, isStateBefore } from '../../domain/backups/backup';
import { firstRestoreJournal, leftBy, restoredDetail, type RestoreJournal } from '../../domain/backups/restore';
import { messageOf, PilotError, rethrowUndecided } from '../../domain/errors';
import type { Stopped } from '../../domain/health/health-failure';
import type { Update } from '../../domain/update';
import type { Progress } from '../../lib/logger';
import { authenticManifest, folderToRestore } from '../../restores/find-set';
import { restoreData } from '../../restores/restore-data';
import { restoreRun, type RestoreRun } from '../../restores/restore-run';
import { startAgain, thoseThatRanRunAgain } from '../../restores/those-that-ran';
import {
  hasRunSince,
  othersStopped,
  restartAndVerify,
  startedByOthers,
  startStopped,
} from '../backup/stopped-containers';
import { hasChangedData } from '../fingerprint/data-change';
import { finishHealthy, finishRetagged } from '../finish';
import { seeToNeighbours } from '../neighbours/see-to-neighbours';
import { type ActiveUpdate, checkpoint, type Run, step } from '../run';
import {
  databasesLeft,
  dataChangedError,
  removeNew,
  rollbackFailed,
  sameFailureAsBefore,
  whyRolledBack,
} from './rollback-ends';

/** In the soak: what was written since the backup is then only in the copy that is kept. */
export function isBackupChosen({ journal }: Pick<Run, 'journal'>): boolean {
  return journal.soak?.failed?.data === 'backup';
}

/**
 * As the operator chose; else only from a backup after which no known container has written, so that nothing is lost but what
 * the new version did.
 */
export async function mayRestore(run: Run): Promise<boolean> {
  if (isBackupChosen(run)) return true;
  // The old data directory of a new PostgreSQL major is back as it was.
  if (run.journal.major !== undefined) return false;
  if (!isStateBefore(succeededBackup(run), run.update) || run.journal.released) return false;
  return (await startedByOthers(run, run.journal.oldContainerId)).length === 0;
}

/**
 * The new version changed the data, or the old container does not run with it as it is now: the data of this update's backup
 * takes its place, and the old container is started. Ends `rolled_back` when it is healthy, with all that were stopped, and no
 * database that was created since the backup is left; else `rollback_failed`. Goes on from the journal after a crash.
 */
export async function restoreAfterRollback(run: Run): Promise<Update> {
  const cause = whyRolledBack(run.update);
  const journal = run.journal.restore ?? firstRestoreJournal(run.update.id);
  checkpoint(run, 'restoring', { restore: journal });
  let restored = false;
  try {
    await step(run, 'restore', (progress) => restore(run, progress));
    restored = true;
    await step(run, 'restore_health_check', (progress) => allServe(run, progress));
  } catch (failure) {
    rethrowUndecided(failure);
    const more = await startUnlessHalf(run, allStopped(run));
    await removeNew(run);
    if (!restored && (await runsOnDataOfNew(run)))
      return finishHealthy(run, 'rollback_failed', dataChangedError(run.journal.dataChange, cause, messageOf(failure)));
    const asBefore = restored ? await sameFailureAsBefore(run) : null;
    const code = restored && (await oldIsHealthy(run)) ? 'other_unhealthy' : 'rollback_failed';
    const reported = new PilotError(code, `${messageOf(failure)}${more}`, { cause: failure });
    return finishRetagged(run, 'rollback_failed', rollbackFailed(cause, reported, asBefore));
  }
  await removeNew(run);
  const left = databasesLeft(run.journal.dataChange, cause);
  return left === null ? finishHealthy(run, 'rolled_back', cause) : finishHealthy(run, 'rollback_failed', left);
}

/**
 * If the previous data could not be restored, the old container runs on that of the new version, like all others: not the
 * requested result, but not an outage. False also where nothing but its health was the reason for the restore.
 */
async function runsOnDataOfNew(run: Run): Promise<boolean> {
  if ((!hasChangedData(run) && !isBackupChosen(run)) || leftBy(run.journal.restore) === 'half') return false;
  try {
    await healthOf(run, run.journal.oldContainerId, run.container, () => undefined);
    return true;
  } catch (error) {
    rethrowUndecided(error);
    return false;
  }
}

/** Then another container that was stopped is what does not work. Rejects only with `engine_unreachable`. */
async function oldIsHealthy(run: Run): Promise<boolean> {
  return (await healthFailureOf(run, { ...run.container, id: run.journal.oldContainerId })) === null;
}

/** The old container, which may not have been started yet, and those that the restore and the backup stopped. */
function allStopped({ journal: { restore, stopped, oldContainerId: id, containerName: name } }: Run): Stopped[] {
  const old = { id, name, well: true };
  return [...new Map([old, ...(restore?.stopped ?? []), ...stopped].map((each) => [each.id, each])).values()];
}

/**
 * Starts those that were stopped. But nothing may write to data that is half the set's and half that from before. Resolves with a
 * sentence about what stays stopped, or is empty.
 */
export async function startUnlessHalf(run: ActiveUpdate, which: readonly Stopped[]): Promise<string> {
  const others = othersStopped(run);
  if (leftBy(run.journal.restore) !== 'half') await startStopped(run, which);
  else if (others.length > 0)
    return ` Also left stopped, because they write to the same data: ${others.map(({ name }) => name).join(', ')}.`;
  return '';
}

async function restore(run: Run, progress: Progress): Promise<string> {
  const restoring = await open(run, progress);
  await restoreData(restoring);
  return restoredDetail(restoring.plan.manifest.createdAt, restoring.journal.kept);
}

/** The old container, then those that the restore stopped, which it is among if it writes; then the others that the backup stopped. */
async function allServe(run: Run, progress: Progress): Promise<string> {
  const restoring = await open(run, progress);
  const asked = new Set(restoring.journal.stopped.map(({ id }) => id));
  const own = asked.has(run.journal.oldContainerId) ? [] : [await oldServes(run, progress)];
  const seen = await startAgain(restoring);
  const others = othersStopped(run).filter(({ id }) => !asked.has(id));
  const more = await restartAndVerify(run, others, progress);
  return [...own, seen, ...more, ...(await seeToNeighbours(run, progress, true))].join(' ');
}

/** A database server, which runs all through the restore, or a container that the restore did not stop: a verdict needs its health. */
async function oldServes(run: Run, progress: Progress): Promise<string> {
  const { oldContainerId: id, containerName: name } = run.journal;
  await insist(run, `the start of ${name}`, () => startJoining(run, id));
  const { RestartCount: restarts } = await run.engine.inspectContainer(id);
  return `${name}: ${await healthOf(run, id, run.container, progress, restarts)}.`;
}

async function open(run: Run, onProgress: Progress): Promise<RestoreRun> {
  const backup = succeededBackup(run);
  const journal = run.journal.restore as RestoreJournal;
  if (backup === null) throw new PilotError('restore_refused', 'The record of the backup of this update is gone.');
  await thoseThatRanRunAgain(run, journal, onProgress);
  const folder = folderToRestore(backup);
  const manifest = journal.manifest ?? (await authenticManifest(run, folder));
  const containers = await readContainers(run.engine, run.selfId);
  return restoreRun({
    ...run,
    set: { folder, url: backup.url ?? '', manifest, containers },
    logger: run.logger.child({ update: run.update.id, backup: backup.id }),
    journal,
    save: (reached) => checkpoint(run, 'restoring', { restore: reached }),
    onProgress,
    alsoStarts: run.journal.oldContainerId,
    ownLayer: 'untouched',
    ...(isBackupChosen(run) ? {} : { mayStillSwap: () => mustBeUnwritten(run) }),
  });
}

/** What another process has started while the backup was unpacked may have written what the restore would lose. */
async function mustBeUnwritten(run: Run): Promise<void> {
  const { oldContainerId, dataGoesBack } = run.journal;
  // Unless its start waits for the restore, the old container has run in this rollback until the restore stopped it.
  const ranHere = dataGoesBack === true ? null : oldContainerId;
  const names = [...(await startedByOthers(run, ranHere)), ...(await startedAfterItsStop(run, ranHere))];
  if (names.length === 0) return;
  throw new PilotError(
    'restore_failed',
    `Another process started ${names.join(', ')} while the backup was unpacked, and a restore could lose data written since.`,
  );
}

/** Its name, if it has run since the restore stopped it. */
async function startedAfterItsStop(run: Run, id: string | null): Promise<string[]> {
  const stopped = run.journal.restore?.stopped.find((each) => each.id === id);
  if (stopped === undefined) return [];
  const now = await insist(run, `the look at ${stopped.name}`, () => inspectIfThere(run.engine, stopped.id));
  return hasRunSince(stopped, now) ? [stopped.name] : [];
}

function succeededBackup({ store, update }: Run): BackupRecord | null {
  const record = store.backups.of(update);
  return record?.status === 'succeeded' ? record : null;
}
