import { insist } from '../containers/insist';
import { imageIfThere, inspectByName, readContainers } from '../containers/read-containers';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { type ActiveUpdate, checkpoint } from './run';

/**
 * Makes the local tag name the image that runs, otherwise Diun loses the container (docs/research/diun.md).
 * The engine says which container has the name now, because the container may have been replaced, or the tag moved,
 * externally. A tag that this update moved for a container that does not use it is restored, unless it was moved since.
 * May be called twice.
 */
export async function syncLocalTag(run: ActiveUpdate): Promise<void> {
  const { containerName, newReference, oldReference, tagMoved } = run.journal;
  const bearer = await inspectByName(run.engine, containerName);
  const reference = bearer?.Config.Image;
  if (bearer !== null && (reference === newReference || reference === oldReference))
    await retag(run, reference, bearer.Image);
  if (!tagMoved) return;
  if (reference !== newReference) await restoreTag(run);
  checkpoint(run, run.journal.stage, { tagMoved: false });
}

/** The same, where the verdict does not depend on it. Rejects only with `engine_unreachable`. */
export async function syncLocalTagIfPossible(run: ActiveUpdate): Promise<void> {
  try {
    await insist(run, `the local tag of update ${run.update.id}`, () => syncLocalTag(run));
  } catch (error) {
    rethrowEngineLost(error);
    const { newReference: tag } = run.journal;
    run.logger.error('the local tag does not name what runs', { update: run.update.id, tag, reason: messageOf(error) });
  }
}

async function retag(run: ActiveUpdate, reference: string, imageId: string): Promise<void> {
  const named = (await imageIfThere(run.engine, reference))?.Id ?? null;
  if (
    named === imageId ||
    (!run.journal.tagMoved && named !== null && (await usedByAnotherContainer(run, reference, named)))
  )
    return;
  await run.engine.tag(imageId, reference);
}

/** A tag that this update never touched may be right for another container of the same tag that runs. */
async function usedByAnotherContainer(
  { engine, journal, selfId }: ActiveUpdate,
  reference: string,
  imageId: string,
): Promise<boolean> {
  const all = await readContainers(engine, selfId);
  return all.some(
    (other) =>
      other.running &&
      other.name !== journal.containerName &&
      other.reference === reference &&
      other.imageId === imageId,
  );
}

async function restoreTag({ engine, journal }: ActiveUpdate): Promise<void> {
  const { newReference, oldReference, oldImageId, newReferenceWas, newImageId } = journal;
  if ((await imageIfThere(engine, newReference))?.Id !== newImageId) return;
  const before = newReference === oldReference ? oldImageId : newReferenceWas;
  const isThere = before !== null && (await imageIfThere(engine, before)) !== null;
  await (isThere ? engine.tag(before, newReference) : engine.untag(newReference));
}
