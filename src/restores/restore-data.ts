import { insist } from '../containers/insist';
import { inspectIfThere } from '../containers/read-containers';
import { stopIfThere, withLastStart } from '../containers/start-stop-remove';
import type { ContainerInspect } from '../domain/engine-inspect';
import { isEngineLost, messageOf, PilotError, rethrowEngineLost, toPilotError } from '../domain/errors';
import { asSentence } from '../domain/format';
import type { StoppedForRestore } from '../domain/backups/restore';
import { isWell } from '../domain/health/health-failure';
import { interruptedText, MOST_ATTEMPTS } from '../domain/interruptions';
import { addressesIn } from '../domain/health/neighbour';
import { checkSet, findShells } from './check-set';
import { dropStaged, stageDatabases, swapDatabases, swapDatabasesBack } from './databases/restore-databases';
import { removeStaged, stageFiles, swapFiles, swapFilesBack, tidyFiles } from './files/restore-files';
import { checkpointRestore, type RestoreRun } from './restore-run';
import { startAgain, whoRuns } from './those-that-ran';

/**
 * Puts the data of a set in place of the current data, from the stage in the journal: the set is read completely, writers
 * are stopped, all is unpacked alongside, then old and new change places. When it resolves, the data is restored, the
 * previous data is kept, and the stopped containers are still to be started (`startAgain`).
 *
 * Rejects with `backup_not_verified` or `restore_refused` before anything was stopped; with `restore_failed` when the data
 * from before is in its place again and all have been started; with `engine_unreachable` to be called again.
 */
export async function restoreData(run: RestoreRun): Promise<void> {
  const begins = run.journal.stage === 'checking';
  if (begins) await checkBeforeStaging(run);
  else if (run.journal.stage === 'staging') countInterruption(run);
  // What is undone stops them where data changes places, so that a refused stop keeps no service down whose data is in place.
  else if (run.journal.stage === 'swapping') await stopWriters(run);
  try {
    if (run.journal.stage === 'staging') await stage(run, begins);
    if (run.journal.stage === 'swapping') await swap(run);
  } catch (error) {
    if (isEngineLost(error)) throw lostEngine(run, error);
    const { code, message } = toPilotError(error);
    run.logger.error('the restore failed and is undone', { code, reason: message });
    checkpointRestore(run, { stage: 'undoing', cause: { code, message } });
  }
  if (run.journal.stage === 'undoing') await undo(run);
  if (run.journal.tidied !== true) await tidy(run);
}

/** A restore that takes the whole service down repeatedly must not leave a container stopped. */
function countInterruption(run: RestoreRun): void {
  const interrupted = run.journal.interrupted + 1;
  const during = 'while it unpacked this backup';
  const message = interruptedText(interrupted, during, 'memory, disk, restarts of the host', 'restore');
  const givenUp = { stage: 'undoing', cause: { code: 'interrupted', message } } as const;
  checkpointRestore(run, interrupted < MOST_ATTEMPTS ? { interrupted } : { interrupted, ...givenUp });
}

/** An unreachable engine does not count as an interrupted attempt. */
function lostEngine(run: RestoreRun, error: unknown): unknown {
  checkpointRestore(run, { interrupted: run.journal.interrupted - 1 });
  return error;
}

async function checkBeforeStaging(run: RestoreRun): Promise<void> {
  if (run.journal.ran === undefined && run.writers === undefined) checkpointRestore(run, { ran: whoRuns(run.plan) });
  const kinds = await checkSet(run);
  const shells = await findShells(run);
  const who = await whoIsStopped(run);
  checkpointRestore(run, { stage: 'staging', manifest: run.plan.manifest, kinds, shells, ...who });
}

/** Those that run, those that get files, and the one that the caller names: these are started at the end also when they do not run now. */
async function whoIsStopped({
  engine,
  plan,
  alsoStarts,
  writers,
}: RestoreRun): Promise<{ stopped: StoppedForRestore[]; leftDown: string[] }> {
  if (writers === 'scaled to 0') return { stopped: [], leftDown: [] };
  const gets = new Set([...plan.files.map(({ container }) => container.id), alsoStarts]);
  const inspects = await Promise.all(plan.writers.map(({ id }) => engine.inspectContainer(id)));
  const starts = ({ Id, State }: ContainerInspect): boolean => State.Running || gets.has(Id);
  return {
    stopped: inspects
      .filter(starts)
      .map((inspect) => ({ ...stoppedAs(inspect), well: gets.has(inspect.Id) || isWell(inspect) })),
    leftDown: inspects.filter((inspect) => !starts(inspect) && !hasEndedWell(inspect)).map(nameOfContainer),
  };
}

function stoppedAs(inspect: ContainerInspect): Omit<StoppedForRestore, 'well'> {
  const { Id: id, State } = inspect;
  return { id, name: nameOfContainer(inspect), startedAt: State.StartedAt, addresses: addressesIn(inspect) };
}

function nameOfContainer({ Name }: ContainerInspect): string {
  return Name.slice(1);
}

/** As a one-off job of a project does. */
function hasEndedWell({ State }: ContainerInspect): boolean {
  return State.Status === 'exited' && State.ExitCode === 0;
}

/** One may have been removed while the restore was interrupted: done without it, the data would be half of the set and half of today. */
function mustHaveAll({ plan }: RestoreRun): void {
  if (plan.missing.length > 0) throw restoreError(plan.missing.join(' '));
}

/** `begins`: not resumed. A start since an interruption is not the container's own. */
async function stage(run: RestoreRun, begins: boolean): Promise<void> {
  mustHaveAll(run);
  await stopWriters(run);
  if (begins) await noteLastStarts(run);
  await bothEnd(stageDatabases(run), stageFiles(run));
  await run.mayStillSwap?.();
  await stopWriters(run);
  checkpointRestore(run, { stage: 'swapping', swapBegan: true });
}

/**
 * Databases and files are staged at the same time, because each mostly waits for another program. An error of one is reported only
 * once the other has ended: by then nothing changes what is undone. A lost engine comes first, because it is tried again.
 */
async function bothEnd(...parts: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(parts)).filter((part) => part.status === 'rejected');
  const worst = failed.find(({ reason }) => isEngineLost(reason)) ?? failed[0];
  if (worst !== undefined) throw worst.reason;
}

/**
 * Repeated before the swap, before it is undone and at each resume: no writer may run while data changes places, whatever the engine
 * or another process has started. One that was removed is no longer there to write.
 */
async function stopWriters(run: RestoreRun): Promise<void> {
  await noteStarted(run);
  for (const { id, name } of run.journal.stopped.toReversed()) {
    run.onProgress(`stopping ${name}`);
    // A container that keeps restarting may end within this call, which the engine then refuses (measured: "container not running").
    await insist(run, `the stop of ${name}`, () => stopIfThere(run, id));
  }
}

/**
 * A writer that did not run at first is stopped, too, and started again at the end; how well it was is not known. One that was
 * re-created externally takes the place of the one that is gone.
 */
async function noteStarted(run: RestoreRun): Promise<void> {
  const { engine, plan, journal, writers } = run;
  if (writers === 'scaled to 0') return;
  const known = new Set(journal.stopped.map(({ id }) => id));
  const others = plan.writers.filter(({ id }) => !known.has(id));
  const look = () => Promise.all(others.map(({ id }) => inspectIfThere(engine, id)));
  const found = (await insist(run, 'the look at the writers of the set', look)).filter((inspect) => inspect !== null);
  const recreated = new Map(found.map((each) => [nameOfContainer(each), stoppedAs(each)]));
  const stopped = journal.stopped.map((each) => ({ ...each, ...recreated.get(each.name) }));
  const names = new Set(stopped.map(({ name }) => name));
  const started = found.filter((each) => each.State.Running && !names.has(nameOfContainer(each)));
  if (started.length > 0 || stopped.some(({ id }) => !known.has(id)))
    checkpointRestore(run, { stopped: [...stopped, ...started.map((each) => ({ ...stoppedAs(each), well: false }))] });
}

async function noteLastStarts(run: RestoreRun): Promise<void> {
  const look = () => withLastStart(run, run.journal.stopped);
  checkpointRestore(run, { stopped: await insist(run, 'the look at the stopped containers', look) });
}

async function swap(run: RestoreRun): Promise<void> {
  mustHaveAll(run);
  await swapFiles(run);
  checkpointRestore(run, { kept: await swapDatabases(run) });
  checkpointRestore(run, { stage: 'starting' });
}

/** The data is in its place by now: what cannot be tidied up does not undo that. */
async function tidy(run: RestoreRun): Promise<void> {
  try {
    const files = await tidyFiles(run);
    const listed = new Set(files.map(({ what }) => what));
    const kept = [...run.journal.kept.filter(({ what }) => !listed.has(what)), ...files];
    checkpointRestore(run, { kept, tidied: true });
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.warn('what only the restore needed could not be removed', { reason: messageOf(error) });
  }
}

/** Whatever was swapped goes back; what was not is left. Then all serve as before. */
async function undo(run: RestoreRun): Promise<void> {
  const cause = run.journal.cause ?? { code: 'interrupted', message: 'the restore was interrupted' };
  if (run.journal.swapBegan) await swapBack(run, cause.message);
  const left = await removeUnpacked(run);
  const words = await startAgain(run).catch((error: unknown) => {
    rethrowEngineLost(error);
    checkpointRestore(run, { undoneUnhealthy: true });
    const but = `The previous data is in place, but not every container is healthy: ${messageOf(error)}`;
    throw restoreError(`${asSentence(cause.message)} ${but}${left}`, error);
  });
  throw restoreError(`${asSentence(cause.message)} The previous data is in place. ${words}${left}`);
}

/** Recorded when it is done: once the staged data is removed, unswapped data would look swapped. */
async function swapBack(run: RestoreRun, cause: string): Promise<void> {
  run.onProgress('putting the previous data back in place');
  try {
    mustHaveAll(run);
    await stopWriters(run);
    await swapDatabasesBack(run);
    await swapFilesBack(run);
  } catch (error) {
    rethrowEngineLost(error);
    const names = run.journal.stopped.map(({ name }) => name).join(', ');
    const left = names === '' ? '' : ` Left stopped, because the data is only partly restored: ${names}.`;
    throw restoreError(
      `${asSentence(cause)} The previous data could not be put back: ${asSentence(messageOf(error))} The previous data is kept under the names .diun-pilot-before-${run.journal.mark}-….${left}`,
      error,
    );
  }
  checkpointRestore(run, { swapBegan: false });
}

/** A failed removal does not prevent the start. Resolves with a sentence about it. */
async function removeUnpacked(run: RestoreRun): Promise<string> {
  try {
    await dropStaged(run);
    await removeStaged(run);
    return '';
  } catch (error) {
    rethrowEngineLost(error);
    run.logger.warn('the staged data of a failed restore could not be removed', { reason: messageOf(error) });
    return ` The unpacked data could not be removed: ${messageOf(error)} It is named .diun-pilot-restore-${run.journal.mark}-… and is not needed.`;
  }
}

function restoreError(message: string, cause?: unknown): PilotError {
  return new PilotError('restore_failed', message, { cause });
}
