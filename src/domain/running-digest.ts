import type { Container } from './container';
import { repositoryOf, tryParseImageReference } from './images/image-reference';

/** Whether the container's image is the one of this digest: a digest names content, wherever it was pulled from. */
export function runsDigest({ repoDigests }: Pick<Container, 'repoDigests'>, digest: string): boolean {
  return repoDigests.some((known) => known.endsWith(`@${digest}`));
}

/** The digest that the container runs, by its own repository if the engine knows several; null: an image built here. */
export function runningDigest({ reference, repoDigests }: Pick<Container, 'reference' | 'repoDigests'>): string | null {
  const own = tryParseImageReference(reference);
  const known = repoDigests.map(tryParseImageReference).filter((parsed) => parsed !== null);
  const same = known.find((parsed) => own !== null && repositoryOf(parsed) === repositoryOf(own));
  return (same ?? known[0])?.digest ?? null;
}
