import type { Container } from '../container';
import {
  type ImageReference,
  type ImageTarget,
  parseImageReference,
  repositoryOf,
  tryParseImageReference,
} from '../images/image-reference';

/**
 * The watched containers that an event of Diun concerns: all of the image's repository, since Diun reports an image once, however
 * many containers run it, and its `ctn_*` name any one of them (docs/research/diun.md). One exception: a container of another
 * tag that says nothing of `diun.watch_repo` is left out when something else explains why Diun spoke of this tag: a container
 * of this tag, whichever digest it runs, or one of the repository that does say `diun.watch_repo=true`. Throws
 * `invalid_reference`.
 */
export function candidates(containers: readonly Container[], target: ImageTarget): Container[] {
  const image = parseImageReference(target.reference);
  const related = containers.filter((container) => isOfRepository(container, image));
  const explained = related.some(
    (container) => runsTag(container, image) || (container.labels.watched && container.labels.watchRepo === true),
  );
  return related.filter(
    (container) =>
      container.labels.watched &&
      (!explained || runsTag(container, image) || container.labels.watchRepo !== undefined || isNameless(container)),
  );
}

/** A container created by an image id is known by its digests: it must hear why it is not updated. */
function isOfRepository(container: Container, image: ImageReference): boolean {
  const names = isNameless(container) ? container.repoDigests : [container.reference];
  return names.some((name) => {
    const parsed = tryParseImageReference(name);
    return parsed !== null && repositoryOf(parsed) === repositoryOf(image);
  });
}

function runsTag({ reference }: Container, image: ImageReference): boolean {
  return tryParseImageReference(reference)?.tag === image.tag;
}

/** Created by image id, whole or shortened: then `Config.Image` is the id's beginning. */
export function isNameless({ reference, imageId }: Pick<Container, 'reference' | 'imageId'>): boolean {
  const isShortId = /^[0-9a-f]{6,64}$/.test(reference) && imageId.startsWith(`sha256:${reference}`);
  return isShortId || tryParseImageReference(reference) === null;
}
