import { BOUNDS, NOTES_READING } from '../../domain/bounds';
import { releasesOfChangelog } from '../../domain/notes/versions';
import {
  type Changelog,
  type Forge,
  type NotesHost,
  type NotesSource,
  type ReleaseList,
  whyNotAllowed,
} from '../../domain/notes/source';
import type { Release } from '../../domain/notes/release-notes';
import { HOUR_MS } from '../../domain/format';
import { isDue } from '../../lib/clock';
import type { Resolve } from '../../lib/net/public-address';
import type { Secret } from '../../lib/secret';
import type { NotesCache, NotesFetches, ReadReleases, ReleaseNotesReader } from '../../ports/release-notes';
import { askForge, NotesError, type Answer, type Reach } from './ask';
import { cleanRelease, readPage, type Page } from './pages';

/** Several containers of one image, and a second look, need no second question. */
const FRESH_MS = 5 * 60_000;
const SILENT_MS = 5 * 60_000;
const LONGEST_WAIT_MS = HOUR_MS;
/** A page that is too large is requested again in a smaller size. */
const SIZES = [20, 5] as const;

export interface ReleaseNotesOptions {
  /** In addition to the public forges. */
  hosts: readonly NotesHost[];
  /** By host. */
  tokens: ReadonlyMap<string, Secret>;
  cache: NotesCache;
  now: () => Date;
  /** Left out: the resolver of the system. */
  resolve?: Resolve;
  /** For one question. */
  withinMs?: number;
}

/** Asks the APIs of GitHub, GitLab, Gitea and Forgejo, and reads changelogs. */
export function createReleaseNotes(options: ReleaseNotesOptions): ReleaseNotesReader {
  return new ForgeReader(options);
}

class ForgeReader implements ReleaseNotesReader {
  /** Hosts that did not answer, or limit requests: the reason, and until when. In memory: a restart may ask again. */
  readonly #resting = new Map<string, { until: number; error: NotesError }>();

  /** Which forge a host turned out to be. */
  readonly #forges = new Map<string, Forge>();

  readonly #fetches = { ok: 0, failed: 0 };

  constructor(private readonly options: ReleaseNotesOptions) {}

  fetches(): NotesFetches {
    return { ...this.#fetches };
  }

  whyNotAllowed({ url, asked }: NotesSource): string | null {
    const [first] = asked;
    return whyNotAllowed(new URL(first?.api ?? url), this.options.hosts);
  }

  async read(
    source: NotesSource,
    isEnough: (releases: readonly Release[]) => boolean,
    signal: AbortSignal,
  ): Promise<ReadReleases> {
    try {
      const read = await this.#readFrom(source, isEnough, signal);
      this.#fetches[read.problem === null ? 'ok' : 'failed']++;
      return read;
    } catch (error) {
      this.#fetches.failed++;
      throw error;
    }
  }

  async #readFrom(
    { url, asked }: NotesSource,
    isEnough: (releases: readonly Release[]) => boolean,
    signal: AbortSignal,
  ): Promise<ReadReleases> {
    const failures: NotesError[] = [];
    for (const list of this.#likelyFirst(asked)) {
      try {
        if (list.forge === 'changelog') return await this.#readChangelog(list, url, signal);
        const read = await this.#readList(list, isEnough, signal);
        this.#forges.set(new URL(list.api).host, list.forge);
        return read;
      } catch (error) {
        // Where another forge serves, a path of this one may lead to a login elsewhere.
        if (!(error instanceof NotesError) || (error.kind !== 'unknown' && error.kind !== 'refused')) throw error;
        failures.push(error);
      }
    }
    const [failure] = [...failures.filter(({ kind }) => kind === 'refused'), ...failures];
    throw failure ?? new NotesError(`${url} is not the address of a repository or a changelog.`, 'unknown');
  }

  #likelyFirst(asked: NotesSource['asked']): NotesSource['asked'] {
    const isKnown = ({ forge, api }: NotesSource['asked'][number]): boolean =>
      this.#forges.get(new URL(api).host) === forge;
    return [...asked.filter(isKnown), ...asked.filter((list) => !isKnown(list))];
  }

  async #readList(
    { forge, api }: ReleaseList,
    isEnough: (releases: readonly Release[]) => boolean,
    signal: AbortSignal,
  ): Promise<ReadReleases> {
    for (const size of SIZES) {
      try {
        return await this.#readPages(forge, firstPage(forge, api, size), { size, isEnough, signal });
      } catch (error) {
        if (!(error instanceof NotesError) || error.kind !== 'large' || size === SIZES.at(-1)) throw error;
      }
    }
    throw new NotesError('Release notes are larger than may be read.', 'large');
  }

  async #readPages(
    forge: Forge,
    first: string,
    by: { size: number; isEnough: (releases: readonly Release[]) => boolean; signal: AbortSignal },
  ): Promise<ReadReleases> {
    const releases: Release[] = [];
    let next: string | null = first;
    for (let pages = 0; next !== null; pages++) {
      if (pages === NOTES_READING.pages)
        return { releases, problem: `Only the newest ${releases.length} releases were read.` };
      const page: Page = await this.#page(next, forge, by);
      releases.push(...page.releases);
      if (by.isEnough(releases)) break;
      next = page.next;
    }
    return { releases, problem: null };
  }

  #page(address: string, forge: Forge, { size, signal }: { size: number; signal: AbortSignal }): Promise<Page> {
    const accept = forge === 'github' ? 'application/vnd.github+json' : 'application/json';
    return this.#kept(address, { forge, accept, signal }, (answer) => readPage(forge, answer, size));
  }

  async #readChangelog({ api, raw }: Changelog, page: string, signal: AbortSignal): Promise<ReadReleases> {
    const accept = raw ? 'application/vnd.github.raw+json' : 'text/markdown, text/plain, */*;q=0.1';
    const forge = raw ? 'github' : 'gitea';
    const read = (answer: Answer): Release[] =>
      releasesOfChangelog(answer.content.toString('utf8'), page).slice(0, NOTES_READING.sections).map(cleanRelease);
    return { releases: await this.#kept(api, { forge, accept, signal }, read), problem: null };
  }

  /** What `read` makes of the answer: of a fresh one that is kept, or of one that the forge confirms by its ETag. */
  async #kept<T>(
    address: string,
    { forge, accept, signal }: { forge: Forge; accept: string; signal: AbortSignal },
    read: (answer: Answer) => T,
  ): Promise<T> {
    const { cache, now } = this.options;
    const kept = cache.get(address);
    const at = now().toISOString();
    const isFresh = kept !== null && !isDue(Date.parse(kept.at) + FRESH_MS, Date.parse(at), FRESH_MS);
    if (isFresh) return JSON.parse(kept.content) as T;
    const etag = kept?.etag ?? null;
    const answer = await this.#ask(new URL(address), forge, { accept, etag, signal });
    if (answer.status === 304 && kept !== null) {
      cache.put(address, { ...kept, at });
      return JSON.parse(kept.content) as T;
    }
    const content = read(answer);
    const newEtag = answer.headers.etag;
    cache.put(address, {
      etag: newEtag !== undefined && newEtag.length <= 200 ? newEtag : null,
      content: JSON.stringify(content),
      at,
    });
    return content;
  }

  async #ask(url: URL, forge: Forge, question: Parameters<typeof askForge>[2]): Promise<Answer> {
    const now = this.options.now().getTime();
    const resting = this.#resting.get(url.host);
    if (resting !== undefined && !isDue(resting.until, now, LONGEST_WAIT_MS)) throw resting.error;
    try {
      const answer = await askForge(this.#reach(forge), url, question);
      refuseStatus(answer, this.#reach(forge).authorization(url) !== null, now);
      return answer;
    } catch (error) {
      if (error instanceof NotesError && (error.kind === 'silent' || error.kind === 'patience')) {
        const wait = error.kind === 'silent' ? SILENT_MS : Math.min(error.retryAfterMs || SILENT_MS, LONGEST_WAIT_MS);
        this.#resting.set(url.host, { until: now + wait, error });
      }
      throw error;
    }
  }

  #reach(forge: Forge): Reach {
    const { hosts, tokens, resolve, withinMs = BOUNDS.releaseNotes.ms } = this.options;
    return {
      hosts,
      withinMs,
      ...(resolve && { resolve }),
      authorization: (url) => {
        const byHost = tokens.get(url.host) ?? tokens.get(url.hostname);
        const token = byHost ?? (url.host === 'api.github.com' ? tokens.get('github.com') : undefined);
        if (token === undefined) return null;
        return `${forge === 'gitea' ? 'token' : 'Bearer'} ${token.reveal()}`;
      },
    };
  }
}

function firstPage(forge: Forge, api: string, size: number): string {
  const url = new URL(api);
  url.searchParams.set(forge === 'gitea' ? 'limit' : 'per_page', `${size}`);
  url.searchParams.set('page', '1');
  return url.href;
}

/** Throws for an answer that holds no notes. */
function refuseStatus({ url, status, headers }: Answer, hasToken: boolean, now: number): void {
  if (status === 200 || status === 304) return;
  const limited = status === 429 || (status === 403 && headers['x-ratelimit-remaining'] === '0');
  if (limited || headers['retry-after'] !== undefined) {
    const advice = hasToken
      ? 'diun-pilot retries later.'
      : 'diun-pilot retries later; a token in PILOT_NOTES_TOKENS raises the limit.';
    throw new NotesError(`${url.host} limits requests (${status}). ${advice}`, 'patience', {
      retryAfterMs: retryAfterOf(headers, now),
    });
  }
  if (status === 401 || status === 403) {
    const advice = hasToken ? 'Check its token in PILOT_NOTES_TOKENS.' : 'Set a token for it in PILOT_NOTES_TOKENS.';
    throw new NotesError(`${url.host} refuses the request (${status}). ${advice}`, 'refused');
  }
  if (status === 404 || status === 410 || status < 500) {
    const advice = 'If the project is private, set a token in PILOT_NOTES_TOKENS.';
    throw new NotesError(`${url.host} does not know the project (${status}). ${advice}`, 'unknown');
  }
  throw new NotesError(`${url.host} fails (${status}).`, 'silent');
}

/** Seconds of `Retry-After`, or the time of GitHub's own header. */
function retryAfterOf(headers: Answer['headers'], now: number): number {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000;
  return Number.isFinite(reset) ? Math.max(reset - now, 0) : 0;
}
