import { keepLostFiles } from '../containers/kept-containers';
import { inspectAll, readContainers } from '../containers/read-containers';
import { stopAndRemove } from '../containers/start-stop-remove';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { WorkOutcome } from '../domain/due-work';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import { plural, shortDigest, shortId } from '../domain/format';
import { formatReference, repositoryOf, tryParseImageReference } from '../domain/images/image-reference';
import type { ReplacedImage } from '../ports/store';
import { keepPreviousData } from './major/data-directory';
import { keepTag } from './new-tag/keep-tag';
import { checkpoint, newContainerOf, type Run, step } from './run';
import { keepForSoak } from './soak/keep-for-soak';

/**
 * Writes a new tag where the operator keeps it, keeps the files that are in no volume, and removes the old container, never
 * its volumes; during its soak (`update.soak`) the old container itself is kept. The new one is running and healthy: a failure here is reported on the step, in the verdict and in the log, but does
 * not undo the update.
 */
export async function cleanUp(run: Run): Promise<void> {
  try {
    await step(run, 'cleanup', async () => {
      const tag = await keepTag(run);
      const data = await keepPreviousData(run);
      const soaks = await soak(run);
      if (soaks !== null) return [tag, soaks].filter((part) => part !== null).join('; ');
      const kept = await keepFiles(run);
      await stopAndRemove(run, run.journal.oldContainerId);
      const removed = `the old container ${shortId(run.journal.oldContainerId)} is removed; its image ${shortDigest(run.journal.oldImageId)} is kept`;
      return [tag, data, kept, removed].filter((part) => part !== null).join('; ');
    });
  } catch (error) {
    rethrowEngineLost(error);
    const reason = messageOf(error);
    checkpoint(run, run.journal.stage, { cleanUpFailure: reason });
    run.logger.warn('the old container could not be removed', { update: run.update.id, reason });
  }
}

/** The old container of a new PostgreSQL major cannot run on the data as it is now. */
async function soak(run: Run): Promise<string | null> {
  const { soakMs } = run.container.labels;
  return soakMs === undefined || run.journal.major !== undefined ? null : keepForSoak(run, soakMs);
}

async function keepFiles(run: Run): Promise<string | null> {
  const { containerName: container } = run.journal;
  const replaced = { old: run.old, replacementId: newContainerOf(run), container, updateId: run.update.id };
  const kept = await keepLostFiles(run, replaced);
  return kept === null ? null : `files outside of its volumes are kept in ${kept.name}`;
}

/**
 * Removes images that updates of diun-pilot have replaced and that exceed `update.keep-images` (docs/labels.md), newest
 * first. An image stays that any container uses, that diun-pilot did not replace, or that has a tag: other than the one with
 * which it was replaced, as an update to a new tag leaves it, or one that a container names. An image that cannot
 * be removed is reported in the log and tried again after the next update. Rejects only with `engine_unreachable`.
 */
export async function removeOldImages(deps: Deps): Promise<WorkOutcome> {
  const containers = await readContainers(deps.engine, deps.selfId);
  const all = await inspectAll(deps.engine);
  const used = new Set(all.map(({ Image }) => Image));
  const named = new Set(all.map(({ Config }) => fullSpelling(Config.Image)));
  const tags = new Map((await deps.engine.images()).map(({ id, repoTags }) => [id, repoTags]));
  let removed = 0;
  for (const repository of deps.store.replacedImages.repositories()) {
    const keep = keptOf(deps, containers, repository);
    if (keep === null) continue;
    const replaced = deps.store.replacedImages.of(repository);
    for (const { imageId } of replaced) if (!tags.has(imageId)) deps.store.replacedImages.remove(imageId);
    const free = replaced.filter((image) => {
      const names = tags.get(image.imageId)?.map(fullSpelling);
      const isOwn = names?.length === 1 && names[0] === fullSpelling(image.reference ?? '') && !named.has(names[0]);
      return !used.has(image.imageId) && (names?.length === 0 || isOwn);
    });
    for (const image of free.slice(keep)) if (await removeOne(deps, image)) removed++;
  }
  return { outcome: `Removed ${plural(removed, 'old image')}.`, trouble: null };
}

/** How many are kept: the most that any of its containers asks for; null: all of them. */
function keptOf(deps: Deps, containers: readonly Container[], repository: string): number | null {
  const own = containers.filter(({ reference }) => repositoryIn(reference) === repository);
  const kept = own.map(({ labels }) => labels.keepImages ?? deps.keepImages);
  // Without a container no label says how many; the default of the settings still counts.
  if (kept.length === 0) return deps.keepImages;
  return kept.includes(null) ? null : Math.max(...kept.map(Number));
}

async function removeOne({ engine, store, logger }: Deps, image: ReplacedImage): Promise<boolean> {
  const { imageId, repository } = image;
  try {
    await engine.removeImage(imageId);
    store.replacedImages.remove(imageId);
    logger.info('an old image is removed', { image: shortDigest(imageId), repository });
    return true;
  } catch (error) {
    rethrowEngineLost(error);
    logger.warn('an old image cannot be removed', {
      image: shortDigest(imageId),
      repository,
      reason: messageOf(error),
    });
    return false;
  }
}

/** The repository of a reference, in its full spelling; null: it is not a reference. */
export function repositoryIn(reference: string): string | null {
  const parsed = tryParseImageReference(reference);
  return parsed === null ? null : repositoryOf(parsed);
}

/** With its tag, in its full spelling; as it is where it is not a reference. */
function fullSpelling(reference: string): string {
  const parsed = tryParseImageReference(reference);
  return parsed === null ? reference : formatReference({ ...parsed, digest: null });
}
