import { illnessOf } from '../containers/check-health';
import { inspectByName, inspectIfThere } from '../containers/if-there';
import { startIfNotJoined } from '../containers/start-joining';
import type { Deps } from '../deps';
import type { ContainerInspect } from '../domain/engine-inspect';
import { PilotError } from '../domain/errors';
import { newReferenceFor } from '../domain/images/new-reference';
import { runsDigest } from '../domain/running-digest';
import { toContainer } from '../domain/to-container';
import type { Journal, Update } from '../domain/update';
import { leaveTheNewOne, whatElseHappened } from './changed-meanwhile';
import { endNaming, endServing, endUnchanged, endWithout } from './end';
import { keepTag } from './new-tag/keep-tag';
import type { Run } from './run';
import { othersStopped, startStopped } from './stopped-containers';
import { undoPreparation } from './undo-preparation';

/** A run that stopped the whole service this often is not begun again. */
const ATTEMPTS = 3;

/**
 * Takes up an update: for the first time, by looking again at what the decision saw; or after a crash, by the journal.
 * `ended`: there was nothing to run, and the update has its end.
 */
export async function openRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const journal = deps.store.updates.journal(update.id);
  if (journal !== null) return resume(deps, update, journal);
  return begin(deps, update);
}

async function begin(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const old = await inspectByName(deps.engine, update.container ?? '');
  if (old === null)
    return { ended: endWithout(deps, update, 'failed', `There is no container ${update.container} any more.`) };
  const container = await containerOf(deps, old);
  const changed = whatChanged(update, container);
  if (changed !== null) return { ended: endWithout(deps, update, changed.status, changed.reason) };
  const ill = await illnessOf(deps, container);
  const started = deps.store.updates.change(update.id, {
    status: 'running',
    startedAt: deps.clock.now().toISOString(),
  });
  const journal = { ...firstJournal(update, old), ...(ill === null ? {} : { illBefore: ill }) };
  const run: Run = { ...deps, update: started, old, container, journal };
  deps.store.updates.saveJournal(update.id, run.journal);
  return run;
}

async function resume(deps: Deps, update: Update, journal: Journal): Promise<Run | { ended: Update }> {
  const old = await inspectIfThere(deps.engine, journal.oldContainerId);
  if (old === null) return { ended: await endWithoutOld(deps, update, journal) };
  const run: Run = { ...deps, update, old, container: await containerOf(deps, old), journal };
  deps.logger.warn('taking up an interrupted update', { update: update.id, stage: journal.stage });
  if (journal.stage === 'checking' && journal.newContainerId !== null)
    await startIfNotJoined(deps, journal.newContainerId);
  if (journal.stage !== 'preparing') return run;
  await undoPreparation(run);
  const attempt = journal.engineLost === true ? journal.attempt : journal.attempt + 1;
  const begunAgain = attempt > ATTEMPTS ? false : (await startStopped(run)).length === 0;
  if (!begunAgain) return { ended: await endUnchanged(run, interrupted(journal.attempt)) };
  run.old = await deps.engine.inspectContainer(old.Id);
  const { illBefore } = journal;
  run.journal = { ...firstJournal(update, old), attempt, ...(illBefore === undefined ? {} : { illBefore }) };
  deps.store.updates.saveJournal(update.id, run.journal);
  return run;
}

function firstJournal(update: Update, old: ContainerInspect): Journal {
  return {
    stage: 'preparing',
    attempt: 1,
    oldContainerId: old.Id,
    containerName: update.container ?? '',
    oldImageId: old.Image,
    oldReference: old.Config.Image,
    newReference: newReferenceFor(old.Config.Image, update.to.reference),
    tagMoved: false,
    newReferenceWas: null,
    newImageId: null,
    newContainerId: null,
    oldStopped: false,
    dependents: [],
    stopped: [],
    released: false,
    restore: null,
  };
}

/** The decision was made of what ran then: if something else runs by now, it does not hold any more. */
function whatChanged(
  update: Update,
  container: Run['container'],
): { status: 'superseded' | 'ignored'; reason: string } | null {
  const { reference } = container;
  const runs = (digest: string | null): boolean => digest !== null && runsDigest(container, digest);
  if (runs(update.to.digest) && reference === newReferenceFor(reference, update.to.reference)) {
    return { status: 'ignored', reason: `${update.container} already runs ${update.to.digest}: nothing to do.` };
  }
  const from = update.from?.digest ?? null;
  if (from !== null && !runs(from)) {
    return {
      status: 'superseded',
      reason: `${update.container} was changed meanwhile: it no longer runs ${from}, from which this update was decided.`,
    };
  }
  return null;
}

/** Past the health check the old one may be gone already; before that, somebody removed it, and only a person can tell. */
async function endWithoutOld(deps: Deps, update: Update, journal: Journal): Promise<Update> {
  const current = await inspectByName(deps.engine, journal.containerName);
  const serves = journal.stage === 'settled' && current?.Id === journal.newContainerId;
  if (serves) {
    const settled = { ...deps, update, journal };
    const kept = await keepTag(settled);
    const detail = `${kept === null ? '' : `${kept}; `}the old container is removed`;
    deps.store.updates.endStep(update.id, 'cleanup', 'succeeded', detail);
    return endServing(settled, 'succeeded');
  }
  const run = { ...deps, update, journal };
  if (journal.stage === 'preparing') await undoPreparation(run);
  else await leaveTheNewOne(run);
  const troubles = await startStopped(run, othersStopped(run));
  const happened = (await whatElseHappened(run)) ?? goneMeanwhile(journal);
  return endNaming(
    run,
    journal.stage === 'preparing' && troubles.length === 0 ? 'failed' : 'rollback_failed',
    happened,
  );
}

function goneMeanwhile({ containerName }: Journal): PilotError {
  const what = `Somebody else has removed the old container of ${containerName}.`;
  return new PilotError('changed_meanwhile', what);
}

function interrupted(attempts: number): PilotError {
  const times = attempts === 1 ? 'once' : `${attempts} times`;
  return new PilotError(
    'interrupted',
    `diun-pilot was stopped ${times} in the middle of this update, before anything was changed. Look for the reason in its log (memory, restarts of the host), then ask again: diun-pilot update.`,
  );
}

async function containerOf(deps: Deps, inspect: ContainerInspect): Promise<Run['container']> {
  return toContainer(inspect, await deps.engine.inspectImage(inspect.Image), deps.selfId);
}
