import { isOfRepository, repositoryNamed, watched, type Memory } from './family';
import { missing, mustBe, refuse } from './refused';
import type { Sight } from './sight';

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

/** By digest, and from the repository of a container that the operator opened to updates. */
export async function judgePull(sight: Sight, memory: Memory, fromImage: string, tag: string): Promise<void> {
  mustBe(/^sha256:[0-9a-f]{64}$/.test(tag), 'it pulls no digest');
  mustBe(!fromImage.includes('@'), 'its name has a digest of its own');
  const repository = repositoryNamed(fromImage) ?? refuse(`${fromImage} is not a repository`);
  const known = await watched(sight, memory);
  const used = known.some(({ container }) => repositoryNamed(container.Config.Image) === repository);
  mustBe(used, `no container with the label diun.enable=true runs an image of ${repository}`);
}
