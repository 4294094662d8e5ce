import type { Container } from '../container';
import { tagOf } from '../images/image-reference';
import { passingTags } from '../images/tags';
import { isHigherVersion, type Jump, versionJump } from '../images/version-jump';
import { isSized, whyAsk } from './why-ask';

interface Candidate {
  tag: string;
  jump: Jump;
}

/** Of all tags of its repository those that a container may be moved to. Only with `diun.watch_repo=true`, as Diun itself does. */
export function newerTags(container: Container, tags: readonly string[], refused: readonly string[] = []): string[] {
  return container.labels.watchRepo === true ? highestTags(container, tags, refused) : [];
}

/**
 * Of some tags of its repository the highest version that Diun's filters let through, and where that needs approval, the
 * highest that runs automatically. Highest first; two at most. `refused`: those that failed or were declined. A smaller step takes
 * the place of each, not a lower version of the same step: those would be tried, or offered, one by one.
 */
export function highestTags(container: Container, tags: readonly string[], refused: readonly string[] = []): string[] {
  const { labels } = container;
  const own = tagOf(container.reference);
  if (own === null) return [];
  const higher = tags.flatMap((tag): Candidate[] => {
    const { jump } = versionJump(own, tag);
    return jump !== 'incomparable' && isSized(jump) && jump !== 'digest' ? [{ tag, jump }] : [];
  });
  const passing = new Set(
    passingTags(
      higher.map(({ tag }) => tag),
      labels.includeTags,
      labels.excludeTags,
    ),
  );
  const isHidden = ({ tag, jump }: Candidate): boolean =>
    refused.some((each) => versionJump(own, each).jump === jump && !isHigherVersion(tag, each));
  const candidates = higher.filter((each) => passing.has(each.tag) && !isHidden(each));
  const automatic = candidates.filter(({ jump }) => whyAsk(container, jump) === null);
  const found = [highest(candidates), highest(automatic)].filter((tag) => tag !== null);
  return [...new Set(found)];
}

function highest(candidates: readonly Candidate[]): string | null {
  return candidates.reduce<string | null>(
    (best, { tag }) => (best === null || isHigherVersion(tag, best) ? tag : best),
    null,
  );
}
