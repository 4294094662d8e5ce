import { codeOf } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { asideName } from './names';
import type { Run } from './run';
import { reach } from './run';

/** Takes away what was prepared beside the old container, which was never touched, and puts the tag back. */
export async function undoPreparation(run: Run): Promise<void> {
  const { update, journal } = run;
  if (journal.newContainerId !== null) await discard(run.engine, journal.newContainerId);
  await removeByName(run, asideName(journal.containerName, 'new', update.id));
  await removeByName(run, asideName(journal.containerName, 'check', update.id));
  await putTagBack(run);
}

const DISCARD_WITHIN_SECONDS = 2;

/** Takes away a container that never held anything of its own, running or not. Already gone is fine. */
export async function discard(engine: Engine, id: string): Promise<void> {
  try {
    await engine.stop(id, DISCARD_WITHIN_SECONDS);
    await engine.remove(id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

/** A crash may have come between a container's creation and the entry of its id. */
export async function removeByName({ engine }: Pick<Run, 'engine'>, name: string): Promise<void> {
  try {
    await discard(engine, (await engine.inspectContainer(name)).Id);
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
  }
}

/** The local tag must name the image that serves, else Diun loses the container (facts, Diun). */
export async function putTagBack(run: Run): Promise<void> {
  const { tagMoved, newReference, oldReference, oldImageId, newReferenceWas } = run.journal;
  if (!tagMoved) return;
  if (newReference === oldReference) await run.engine.tag(oldImageId, oldReference);
  else if (newReferenceWas !== null) await run.engine.tag(newReferenceWas, newReference);
  else await run.engine.untag(newReference);
  reach(run, run.journal.stage, { tagMoved: false });
}
