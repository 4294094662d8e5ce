import { z } from 'zod';
import { EngineError } from '../../../domain/errors';
import { parseImageReference } from '../../../domain/images/image-reference';
import type { RegistryTags } from '../../../ports/registry-tags';
import { askJson, isLoopback, refused, type JsonAnswer } from './ask-json';
import { credentialsFor } from './credentials';
import { authorizationFor, headersOf } from './token';

/** Docker Hub gives a hundred a page, whatever is asked for. */
const PAGE = 1_000;
const MOST_PAGES = 200;
const WITHIN_MS = 60_000;
const DOCKER_HUB = 'registry-1.docker.io';

const tagList = z.object({ tags: z.array(z.string().max(200)).max(100_000).nullish() });

export interface RegistryTagsOptions {
  /** Where the Docker client keeps `config.json` with the registries' credentials; null: nowhere. */
  dockerConfigDir: string | null;
  /** For one repository, all its pages. */
  withinMs?: number;
}

/** Lists tags by the distribution API (`/v2/NAME/tags/list`), asked from this process, not through the engine and its proxy. */
export function createRegistryTags({ dockerConfigDir, withinMs = WITHIN_MS }: RegistryTagsOptions): RegistryTags {
  return {
    tags: async (reference) => {
      const { domain, path } = parseImageReference(reference);
      const signal = AbortSignal.timeout(withinMs);
      const credentials = await credentialsFor(dockerConfigDir, reference);
      const host = domain === 'docker.io' ? DOCKER_HUB : domain;
      const registry = new URL(`https://${host}`);
      if (isLoopback(registry)) registry.protocol = 'http:';
      const first = new URL(`/v2/${path}/tags/list?n=${PAGE}`, registry);
      const answer = await askJson(first, signal);
      const challenge = answer.status === 401 ? answer.headers.get('www-authenticate') : null;
      if (challenge === null) return followPages(first, answer, null, signal);
      const authorization = await authorizationFor(challenge, registry, credentials, signal);
      if (authorization === null) throw refused(registry, 'it wants a login, and there is none');
      return followPages(
        first,
        await askJson(first, signal, { headers: headersOf(authorization) }),
        authorization,
        signal,
      );
    },
  };
}

async function followPages(
  first: URL,
  answer: JsonAnswer,
  authorization: string | null,
  signal: AbortSignal,
): Promise<string[]> {
  const tags: string[] = [];
  let [url, page] = [first, answer];
  for (let pages = 1; ; pages++) {
    tags.push(...tagsIn(url, page));
    const next = nextOf(url, page);
    if (next === null) return tags;
    if (pages === MOST_PAGES) throw refused(first, `it has more than ${tags.length}`);
    url = next;
    page = await askJson(url, signal, { headers: headersOf(authorization) });
  }
}

function tagsIn(url: URL, { status, headers, body }: JsonAnswer): string[] {
  if ([401, 403, 404].includes(status)) throw refused(url, `it answers ${status}`);
  if (status === 429) {
    const after = headers.get('retry-after');
    const patience = after === null ? '' : `, for ${after.slice(0, 40)} s`;
    throw new EngineError('registry_unreachable', `The registry ${url.host} asks for patience${patience}.`);
  }
  const list = tagList.safeParse(body);
  if (status === 200 && list.success) return list.data.tags ?? [];
  throw new EngineError('registry_unreachable', `The registry ${url.host} gives no list of tags (status ${status}).`);
}

/** RFC 5988, `<…>; rel="next"`; never another host, which would get the token. */
function nextOf(url: URL, { headers }: JsonAnswer): URL | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, url)) return null;
  const next = new URL(target, url);
  if (next.host !== url.host) throw refused(url, `its next page is at ${next.host}`);
  next.protocol = url.protocol;
  return next;
}
