import { BOUNDS, LONGEST_TAG, TAG_LISTING } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { versionJump } from '../../../domain/images/version-jump';
import type { RegistryTags } from '../../../ports/registry';
import {
  askJson,
  type Destinations,
  type JsonAnswer,
  openRepository,
  type Question,
  registryRefused,
  refusedByStatus,
} from './repository';

/** Docker Hub gives a hundred a page, whatever is requested. */
const PAGE = 1_000;
/** After so many tags other work of this process gets its turn. */
const AT_ONCE = 1_000;
const LONGEST_LINK = 4096;

export interface RegistryTagsOptions {
  /** Where the Docker client keeps `config.json` with the registries' credentials; null: nowhere. */
  dockerConfigDir: string | null;
  /** For one repository, all its pages. */
  withinMs?: number;
}

/** Lists tags by the distribution API (`/v2/NAME/tags/list`), asked from this process, not through the engine and its proxy. */
export function createRegistryTags({ dockerConfigDir, withinMs = TAG_LISTING.ms }: RegistryTagsOptions): RegistryTags {
  return {
    tags: async (reference) => {
      const repository = await openRepository(dockerConfigDir, reference);
      const { registry, destinations } = repository;
      const first = repository.url(`tags/list?n=${PAGE}`);
      const signal = AbortSignal.timeout(withinMs);
      const tags = new ComparableTags(registry, parseImageReference(reference).tag);
      const opened = await repository.ask(first, { bound: BOUNDS.registryPage, signal, follow: true });
      return followPages(destinations, { first, ...opened, tags });
    },
  };
}

interface Listing {
  first: URL;
  answer: JsonAnswer;
  question: Question;
  tags: ComparableTags;
}

async function followPages(destinations: Destinations, { first, answer, question, tags }: Listing): Promise<string[]> {
  let [url, page] = [first, answer];
  for (let pages = 1; ; pages++) {
    await tags.take(tagsIn(url, page), page.content.length);
    const next = nextOf(url, page);
    if (next === null) return tags.kept;
    if (pages === TAG_LISTING.pages) throw registryRefused(first, `its list has more than ${pages} pages`);
    url = next;
    page = await askJson(destinations, url, question);
  }
}

/** Keeps of a listing what can be compared with one tag, and holds the bounds over all its pages. */
class ComparableTags {
  readonly kept: string[] = [];
  #seen = 0;
  #bytes = 0;

  constructor(
    private readonly registry: URL,
    private readonly own: string | null,
  ) {}

  async take(tags: readonly unknown[], bytes: number): Promise<void> {
    this.#bytes += bytes;
    this.#seen += tags.length;
    const { bytes: mostBytes, tags: most } = TAG_LISTING;
    if (this.#bytes > mostBytes)
      throw registryRefused(this.registry, `its list is larger than ${mostBytes / 1024 ** 2} MiB`);
    if (this.#seen > most) throw registryRefused(this.registry, `its list has more than ${most} tags`);
    for (let at = 0; at < tags.length; at += AT_ONCE) {
      this.kept.push(...tags.slice(at, at + AT_ONCE).filter((tag): tag is string => this.#isComparable(tag)));
      if (this.kept.length > TAG_LISTING.comparable) {
        throw registryRefused(
          this.registry,
          `more than ${TAG_LISTING.comparable} of its tags can be compared with ${this.own}`,
        );
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #isComparable(tag: unknown): boolean {
    if (typeof tag !== 'string' || tag.length > LONGEST_TAG || this.own === null) return false;
    return versionJump(this.own, tag).jump !== 'incomparable';
  }
}

function tagsIn(url: URL, { status, headers, body }: JsonAnswer): readonly unknown[] {
  refusedByStatus(url, { status, headers });
  const { tags } = (body ?? {}) as { tags?: unknown };
  if (status === 200 && typeof body === 'object' && body !== null) {
    if (tags === undefined || tags === null) return [];
    if (Array.isArray(tags)) return tags;
  }
  throw new EngineError(
    'registry_unreachable',
    `The registry ${url.host} returned no list of tags (status ${status}).`,
  );
}

/** RFC 8288, `<…>; rel="next"`; never another host, which would get the token. */
function nextOf(url: URL, { headers }: JsonAnswer): URL | null {
  const link = [headers.link ?? ''].flat().join(', ').slice(0, LONGEST_LINK);
  const target = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, url)) return null;
  const next = new URL(target, url);
  if (next.host !== url.host) throw registryRefused(url, `its next page is at ${next.host}`);
  next.protocol = url.protocol;
  return next;
}
