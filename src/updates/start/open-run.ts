import { healthFailureOf } from '../../containers/check-health';
import { insist } from '../../containers/insist';
import { containerOf, inspectByName, inspectIfThere } from '../../containers/read-containers';
import { ownPolicy, startIfStopped, stopIfThere } from '../../containers/start-stop-remove';
import type { Deps } from '../../deps';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { PilotError } from '../../domain/errors';
import { interruptedText, MOST_ATTEMPTS } from '../../domain/interruptions';
import { firstJournal, type Journal } from '../../domain/journal';
import type { Update } from '../../domain/update';
import { serversRunAgain } from '../../restores/those-that-ran';
import { othersStopped, startStopped } from '../backup/stopped-containers';
import { detectExternalChange, promoteNewContainer } from '../external-change';
import { finishHealthy, finishRetagged, finishUnstarted, finishUntouched, type Unstarted } from '../finish';
import { dataFollows } from '../major/data-directory';
import { keepTag } from '../new-tag/keep-tag';
import { undoPreparation } from '../prepare-replacement';
import type { ActiveUpdate, Run } from '../run';
import { beginUpdate, judgeStart } from './judge-start';

/**
 * Takes up an update: for the first time, by looking again at what the decision saw; or after a crash, by the journal.
 * `ended`: nothing runs now: the update has its end, or waits for the registry or for approval.
 */
export async function openRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const journal = deps.store.updates.journal(update.id);
  if (journal === null) return startRun(deps, update);
  const active = { ...deps, update, journal };
  return insist(active, `the interrupted update ${update.id}`, () => resumeRun(active));
}

async function startRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const old = withOwnPolicy(deps, await inspectByName(deps.engine, update.container ?? ''));
  if (old === null) return { ended: finishUnstarted(deps, update, noContainer(update)) };
  const container = await containerOf(deps, old);
  const ended = await judgeStart(deps, update, container);
  if (ended !== null) return { ended };
  const unhealthy = await healthFailureOf(deps, container);
  const journal = { ...firstJournal(update, old, unhealthy), handsOver: container.labels.strategy === 'handover' };
  const started = deps.store.transaction(() => {
    deps.store.updates.saveJournal(update.id, journal);
    return beginUpdate(deps, update);
  });
  return { ...deps, update: started, old, container, journal };
}

/** An earlier run that was aborted may have left it disarmed: its replacement has the policy of the operator. */
function withOwnPolicy(deps: Deps, old: ContainerInspect | null): ContainerInspect | null {
  if (old === null) return null;
  return { ...old, HostConfig: { ...old.HostConfig, RestartPolicy: ownPolicy(deps, old) } };
}

function noContainer({ container }: Update): Unstarted {
  return { status: 'failed', code: 'container_not_found', reason: `The container ${container} no longer exists.` };
}

/**
 * Continues an interrupted update from the stage in its journal; one that was still preparing starts again from the
 * beginning. `ended`: it cannot continue and has its verdict.
 */
async function resumeRun(active: ActiveUpdate): Promise<Run | { ended: Update }> {
  const { engine, journal } = active;
  const old = await inspectIfThere(engine, journal.oldContainerId);
  if (old === null) return { ended: await endWithoutOld(active) };
  const run: Run = { ...active, old, container: await containerOf(active, old) };
  run.logger.warn('recovering an interrupted update', { update: run.update.id, stage: journal.stage });
  await serversRunAgain(run, journal.servers ?? [], () => undefined);
  if (journal.stage === 'preparing') return beginAgain(run);
  await onlyOneRuns(run);
  return run;
}

/**
 * Whatever the engine or another process did meanwhile: past the swap the old container is stopped and the new one runs; on
 * the way back the new one is stopped. A container that the engine took down, and whose policy is `no`, is not unhealthy.
 */
async function onlyOneRuns(run: ActiveUpdate): Promise<void> {
  const { stage, oldContainerId, newContainerId, oldStopped } = run.journal;
  if (stage === 'restoring' && newContainerId !== null) await stopIfThere(run, newContainerId);
  if (stage !== 'loading' && stage !== 'checking' && stage !== 'settled') return;
  if (oldStopped) await stopIfThere(run, oldContainerId);
  if (newContainerId !== null) await startIfStopped(run, newContainerId);
}

async function beginAgain(run: Run): Promise<Run | { ended: Update }> {
  const { engine, store, update, old, journal } = run;
  await undoPreparation(run);
  const attempt = journal.engineLost === true ? journal.attempt : journal.attempt + 1;
  if (journal.ran === true) await startIfStopped(run, old.Id);
  const mayBegin = run.mode === 'act' && attempt <= MOST_ATTEMPTS && (await startStopped(run)).length === 0;
  if (!mayBegin) return { ended: await finishUntouched(run, interrupted(journal.attempt)) };
  run.old = await engine.inspectContainer(old.Id);
  const ran = journal.ran ?? run.old.State.Running;
  run.journal = {
    ...firstJournal(update, run.old, journal.unhealthyBefore ?? null),
    ...notedBefore(journal),
    attempt,
    ran,
  };
  store.updates.saveJournal(update.id, run.journal);
  return run;
}

/** What the earlier attempt decided, and saw before it stopped containers for the backup; those that it did not stop are read again. */
function notedBefore({ handsOver, stopped, neighbourhood, dependents, servers, failing }: Journal): Partial<Journal> {
  const decided = { servers, ...(handsOver === undefined ? {} : { handsOver }) };
  const noted = neighbourhood === undefined ? {} : { neighbourhood, dependents };
  return { ...decided, ...(stopped.length === 0 ? {} : { ...noted, ...(failing === undefined ? {} : { failing }) }) };
}

/** Of an update that a process took up too often. */
export function interrupted(attempts: number): PilotError {
  const during = 'in the middle of this update, before anything was changed';
  return new PilotError('interrupted', interruptedText(attempts, during, 'memory, restarts of the host', 'update'));
}

/** After the health check the old one may already be removed; before that, it was removed externally, which only the operator can judge. */
async function endWithoutOld(run: ActiveUpdate): Promise<Update> {
  const { journal } = run;
  const bearer = await inspectByName(run.engine, journal.containerName);
  if (journal.stage === 'settled' && bearer?.Id === journal.newContainerId) return endSettled(run);
  const untouched = journal.stage === 'preparing';
  if (!untouched) await dataFollows(run);
  await (untouched ? undoPreparation(run) : promoteNewContainer(run));
  const troubles = await startStopped(run, othersStopped(run));
  const happened = (await detectExternalChange(run)) ?? goneMeanwhile(journal.containerName);
  return finishRetagged(run, untouched && troubles.length === 0 ? 'failed' : 'rollback_failed', happened);
}

/** All but the entries was done: the tag is looked at again, since the crash may have come before it. */
async function endSettled(run: ActiveUpdate): Promise<Update> {
  await onlyOneRuns(run);
  const kept = await keepTag(run);
  const detail = `${kept === null ? '' : `${kept}; `}the old container is removed`;
  run.store.updates.endStep(run.update.id, 'cleanup', 'succeeded', detail);
  return finishHealthy(run, 'succeeded');
}

function goneMeanwhile(name: string): PilotError {
  return new PilotError('changed_meanwhile', `The old container of ${name} was removed externally.`);
}
