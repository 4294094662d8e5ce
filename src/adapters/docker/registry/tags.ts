import { BOUNDS, LONGEST_TAG, TAG_LISTING } from '../../../domain/bounds';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import { versionJump } from '../../../domain/images/version-jump';
import type { RegistryTags } from '../../../ports/registry-tags';
import { askJson, type JsonAnswer, type Question } from './ask-json';
import { credentialsFor } from './credentials';
import { Destinations } from './destinations';
import { isLoopback, refused } from './refusal';
import { authorizationFor } from './token';

/** Docker Hub gives a hundred a page, whatever is requested. */
const PAGE = 1_000;
/** After so many tags other work of this process gets its turn. */
const AT_ONCE = 1_000;
const LONGEST_LINK = 4096;
const DOCKER_HUB = 'registry-1.docker.io';

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
      const { domain, path, tag } = parseImageReference(reference);
      const host = domain === 'docker.io' ? DOCKER_HUB : domain;
      const registry = new URL(`https://${host}`);
      if (isLoopback(registry)) registry.protocol = 'http:';
      const destinations = new Destinations(registry);
      const question = { bound: BOUNDS.registryPage, signal: AbortSignal.timeout(withinMs), follow: true };
      const credentials = await credentialsFor(dockerConfigDir, reference);
      const first = new URL(`/v2/${path}/tags/list?n=${PAGE}`, registry);
      const answer = await askJson(destinations, first, question);
      const challenge = answer.status === 401 ? answer.headers['www-authenticate'] : undefined;
      const tags = new ComparableTags(registry, tag);
      if (challenge === undefined) return followPages(destinations, { first, answer, question, tags });
      const authorization = await authorizationFor(destinations, challenge, credentials, question.signal);
      if (authorization === null) throw refused(registry, 'it wants a login, and there is none');
      const known = { ...question, authorization };
      const opened = await askJson(destinations, first, known);
      return followPages(destinations, { first, answer: opened, question: known, tags });
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
    await tags.take(tagsIn(url, page), page.bytes);
    const next = nextOf(url, page);
    if (next === null) return tags.kept;
    if (pages === TAG_LISTING.pages) throw refused(first, `its list has more than ${pages} pages`);
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
    if (this.#bytes > mostBytes) throw refused(this.registry, `its list is larger than ${mostBytes / 1024 ** 2} MiB`);
    if (this.#seen > most) throw refused(this.registry, `its list has more than ${most} tags`);
    for (let at = 0; at < tags.length; at += AT_ONCE) {
      this.kept.push(...tags.slice(at, at + AT_ONCE).filter((tag): tag is string => this.#isComparable(tag)));
      if (this.kept.length > TAG_LISTING.comparable) {
        throw refused(
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
  if ([401, 403, 404].includes(status)) throw refused(url, `it answers ${status}`);
  if (status === 429) {
    const after = headers['retry-after'];
    const patience = after === undefined ? '' : `, for ${after.slice(0, 40)} s`;
    throw new EngineError('registry_unreachable', `The registry ${url.host} asks for patience${patience}.`);
  }
  const { tags } = (body ?? {}) as { tags?: unknown };
  if (status === 200 && typeof body === 'object' && body !== null) {
    if (tags === undefined || tags === null) return [];
    if (Array.isArray(tags)) return tags;
  }
  throw new EngineError('registry_unreachable', `The registry ${url.host} gives no list of tags (status ${status}).`);
}

/** RFC 8288, `<…>; rel="next"`; never another host, which would get the token. */
function nextOf(url: URL, { headers }: JsonAnswer): URL | null {
  const link = [headers.link ?? ''].flat().join(', ').slice(0, LONGEST_LINK);
  const target = /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, url)) return null;
  const next = new URL(target, url);
  if (next.host !== url.host) throw refused(url, `its next page is at ${next.host}`);
  next.protocol = url.protocol;
  return next;
}
