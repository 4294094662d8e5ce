import { codeOf, PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { asideName } from './names';
import type { Run } from './run';

/**
 * Gives the new container the name and the service. Each act is by id and may be done twice, so that an interrupted
 * swap is simply done again. The old container is kept, renamed and stopped, until the new one is healthy.
 */
export async function swapContainers(run: Run): Promise<string> {
  const { engine, journal, update } = run;
  const newId = newContainerOf(run);
  await renameTo(engine, journal.oldContainerId, asideName(journal.containerName, 'old', update.id));
  await renameTo(engine, newId, journal.containerName);
  await engine.stop(journal.oldContainerId);
  await startNew(engine, newId);
  return `container ${newId.slice(0, 12)} runs ${journal.newReference}, ${journal.oldContainerId.slice(0, 12)} is kept`;
}

export function newContainerOf({ journal }: Pick<Run, 'journal'>): string {
  if (journal.newContainerId === null) throw new Error('no container was created before it is used');
  return journal.newContainerId;
}

/** A rename to the name that it has already would be refused. */
export async function renameTo(engine: Engine, id: string, name: string): Promise<void> {
  const { Name: current } = await engine.inspectContainer(id);
  if (current !== `/${name}`) await engine.rename(id, name);
}

async function startNew(engine: Engine, id: string): Promise<void> {
  try {
    await engine.start(id);
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PilotError('recreate_failed', `The new container did not start: ${why}`, { cause: error });
  }
}
