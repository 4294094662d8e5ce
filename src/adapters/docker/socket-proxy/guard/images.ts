import type { ImageInspect } from '../../../../domain/engine-inspect';
import { formatReference, tryParseImageReference } from '../../../../domain/images/image-reference';
import { isEnabled } from '../../../../domain/labels/parse-flag';
import {
  everyContainer,
  imageIn,
  isOfRepository,
  isWatched,
  type Memory,
  repositoryNamed,
  type Sight,
  watched,
} from './family';
import { missing, mustBe, refuse } from './strict';

/** A tag names an image of its own repository, or one that a container of that name runs. */
export async function judgeTag(sight: Sight, memory: Memory, name: string, repo: string): Promise<void> {
  const repository = repositoryNamed(repo) ?? refuse(`${repo} is not a repository`);
  const image = (await sight.image(name)) ?? missing('image', name);
  if (isOfRepository(image, repository)) return;
  const known = await watched(sight, memory);
  const runs = known.some(
    ({ container }) => container.Image === image.Id && repositoryNamed(container.Config.Image) === repository,
  );
  mustBe(runs, `the image ${name} is not from ${repository}`);
}

/** By digest, and from the repository of a container or a service that the operator opened to updates. */
export async function judgePull(sight: Sight, memory: Memory, fromImage: string, tag: string): Promise<void> {
  mustBe(/^sha256:[0-9a-f]{64}$/.test(tag), 'it pulls no digest');
  mustBe(!fromImage.includes('@'), 'its name has a digest of its own');
  const repository = repositoryNamed(fromImage) ?? refuse(`${fromImage} is not a repository`);
  const known = await watched(sight, memory);
  const used = known.some(({ container }) => repositoryNamed(container.Config.Image) === repository);
  mustBe(
    used || (await isOfWatchedService(sight, repository)),
    `no container or service with the label diun.enable=true runs an image of ${repository}`,
  );
}

/** The containers of its tasks do not have its labels. */
async function isOfWatchedService(sight: Sight, repository: string): Promise<boolean> {
  const services = await sight.services();
  return services.some(({ Spec }) => isEnabled(Spec.Labels ?? {}) && repositoryNamed(imageIn(Spec)) === repository);
}

/**
 * Only what its registry has again: an image without a tag, or a tag that an undone update had made. Its repository is that of a
 * container that the operator opened to updates, and no other container runs the image. Resolves with what to remove: any other
 * name could be read as the beginning of an ID.
 */
export async function judgeRemoval(sight: Sight, memory: Memory, name: string): Promise<string> {
  const image = (await sight.image(name)) ?? missing('image', name);
  const tag = tagOf(image, name);
  mustBe(tag !== null || (image.RepoTags ?? []).length === 0, `the image ${name} has a tag`);
  const pulled = new Set((image.RepoDigests ?? []).map(repositoryNamed));
  const used = (await watched(sight, memory)).map(({ container }) => repositoryNamed(container.Config.Image));
  const isReplaced = used.some((repository) => repository !== null && pulled.has(repository));
  mustBe(isReplaced, `no container with the label diun.enable=true runs an image of the repository of ${name}`);
  const strangers = (await everyContainer(sight)).filter((known) => !isWatched(known));
  const user = strangers.find(({ container }) => container.Image === image.Id);
  mustBe(user === undefined, `${user?.container.Name.slice(1)} runs the image ${name}`);
  return tag === null ? image.Id : name;
}

/** Null: the name is an ID, or a digest. */
function tagOf({ RepoTags }: ImageInspect, name: string): string | null {
  const wanted = normal(name);
  return (RepoTags ?? []).find((tag) => wanted !== null && normal(tag) === wanted) ?? null;
}

function normal(reference: string): string | null {
  const parsed = tryParseImageReference(reference);
  return parsed === null ? null : formatReference(parsed);
}
