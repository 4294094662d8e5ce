import { asideName } from '../containers/artifact-names';
import { healthOf } from '../containers/check-health';
import { keepStopped, renameRestarting, renameTo, startJoining } from '../containers/start-stop-remove';
import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { shortId } from '../domain/format';
import { canaryProbe } from '../domain/handover';
import type { Progress } from '../lib/logger';
import { syncLocalTag } from './local-tag';
import { reloadFronts } from './neighbours/see-to-nginx';
import { checkpoint, newContainerOf, type Run } from './run';

/**
 * Gives the new container the name and the service. Each act is by id and may be done twice, so that an interrupted
 * swap is simply done again. The old container is kept, renamed and stopped, until the new one is healthy.
 */
export async function swapContainers(run: Run): Promise<string> {
  const { journal } = run;
  checkpoint(run, 'swapping', { oldStopped: true });
  await exchangeNames(run);
  await keepStopped(run, journal.oldContainerId);
  await startNew(run);
  return `container ${shortId(newContainerOf(run))} runs ${journal.newReference}, ${shortId(journal.oldContainerId)} is kept`;
}

/** The old container is renamed, the new one gets its name. Completed or interrupted before is fine. */
async function exchangeNames(run: Run): Promise<void> {
  const { engine, journal, update } = run;
  await renameOld(run, asideName(journal.containerName, 'old', update.id));
  await renameTo(engine, newContainerOf(run), journal.containerName);
}

/** One that crashes again and again is refused a new name while it waits for its restart: it serves no requests, and is stopped first. */
async function renameOld(run: Run, name: string): Promise<void> {
  const { engine, journal } = run;
  try {
    await renameTo(engine, journal.oldContainerId, name);
  } catch (error) {
    if (codeOf(error) !== 'engine_refused') throw error;
    checkpoint(run, 'swapping', { oldStopped: true });
    await keepStopped(run, journal.oldContainerId);
    await renameTo(engine, journal.oldContainerId, name);
  }
}

/** Rejects with `recreate_failed` and the engine's words. Running already is fine. */
async function startNew(run: Run): Promise<void> {
  try {
    await startJoining(run, newContainerOf(run));
  } catch (error) {
    rethrowEngineLost(error);
    throw new PilotError('recreate_failed', `The new container did not start: ${messageOf(error)}`, { cause: error });
  }
}

/** The old one needs its name, its addresses and its ports. A new one that was removed externally no longer uses them. */
export async function renameNew(run: Run, stopSeconds?: number): Promise<void> {
  const { engine, journal, update } = run;
  const { newContainerId: id, containerName } = journal;
  if (id === null) return;
  try {
    await keepStopped(run, id, stopSeconds);
    await renameTo(engine, id, asideName(containerName, 'new', update.id));
    // Until then another process could start it again by its name, and the old one would write next to it.
    await keepStopped(run, id, stopSeconds);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

/** By the old container's label, if it can be (domain/handover), as decided when the update started. */
export function handsOver({ container, journal }: Pick<Run, 'container' | 'journal'>): boolean {
  return journal.handsOver ?? container.labels.strategy === 'handover';
}

/** Gives the new container the name and starts it, while the old one serves on under another. May be done twice. */
export async function startAlongside(run: Run): Promise<string> {
  const { journal } = run;
  await exchangeNames(run);
  await startNew(run);
  return `container ${shortId(newContainerOf(run))} runs ${journal.newReference} next to ${shortId(journal.oldContainerId)}, which keeps serving`;
}

/**
 * Checks the health of the new container next to the old one, and only then stops the old one with its own stop signal, in
 * its own time: it drains, and is kept. Rejects with `unhealthy`: then the old one was never stopped. May be done twice.
 */
export async function drainOld(run: Run, progress: Progress): Promise<string> {
  const { journal } = run;
  const seen = await canaryHealth(run, newContainerOf(run), progress).catch(explainTakenPort);
  await reloadFronts(run, progress);
  checkpoint(run, 'checking', { oldStopped: true, handedOver: true });
  progress('it is healthy next to the old one, which drains');
  await keepStopped(run, journal.oldContainerId);
  return `next to the old one: ${seen}; ${howOldEnded(await run.engine.inspectContainer(journal.oldContainerId))}`;
}

/** Only a process that ended on its own stop signal has completed its requests: exit code 0. */
function howOldEnded({ State: { ExitCode } }: ContainerInspect): string {
  if (ExitCode === 0) return 'the old one has drained';
  const how = ExitCode === 137 ? 'was killed, because it did not end within its stop timeout' : 'did not end cleanly';
  return `the old one ${how} (exit code ${ExitCode}): requests may have been lost. Its main process must handle the stop signal; a shell does not pass it on (start the server with exec)`;
}

/** The way back: the new one drains only when the old one serves, which it may never have ceased to do. May be done twice. */
export async function handBack(run: Run, progress: Progress): Promise<string> {
  const { journal } = run;
  await startJoining(run, journal.oldContainerId);
  if (journal.oldStopped) {
    await untilOldServes(run, progress);
    await reloadFronts(run, progress);
  }
  await renameNew(run);
  const stopped = await renameRestarting(run, journal.oldContainerId, journal.containerName);
  if (stopped) await startJoining(run, journal.oldContainerId);
  await syncLocalTag(run);
  const old = `the old container ${shortId(journal.oldContainerId)}`;
  return `${journal.oldStopped ? `${old} is started again` : `${old} was never stopped`}; the new one is stopped`;
}

function canaryHealth(run: Run, id: string, progress: Progress): Promise<string> {
  const { labels } = run.container;
  const probe = canaryProbe(labels.probe, run.old);
  return healthOf(run, id, { ...run.container, labels: { ...labels, probe } }, progress);
}

/** Whether it does is the verdict of the health check that follows; a broken new one must go in any case. */
async function untilOldServes(run: Run, progress: Progress): Promise<void> {
  try {
    await canaryHealth(run, run.journal.oldContainerId, progress);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    run.logger.warn('the old container does not serve next to the new one', {
      update: run.update.id,
      reason: messageOf(error),
    });
  }
}

/** The most common mistake, with its fix. */
function explainTakenPort(error: unknown): never {
  if (codeOf(error) !== 'unhealthy' || !/address (?:already )?in use/i.test(messageOf(error))) throw error;
  const hint =
    'Two containers can share a port only if both request it: write "listen 80 reuseport;" in each server of nginx.';
  throw new PilotError('unhealthy', `${hint} ${messageOf(error)}`, { cause: error });
}
