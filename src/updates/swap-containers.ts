import { asideName } from '../containers/artifact-names';
import { renameTo, startJoining } from '../containers/start-rename-remove';
import { keepStopped } from '../containers/restart-policy';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import type { Run } from './run';
import { newContainerOf, checkpoint } from './run';
import { shortId } from '../domain/format';

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
export async function exchangeNames(run: Run): Promise<void> {
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
export async function startNew(run: Run): Promise<void> {
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
