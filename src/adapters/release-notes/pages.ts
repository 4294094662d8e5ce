import { z } from 'zod';
import type { Forge } from '../../domain/notes/source';
import type { Release } from '../../domain/notes/release-notes';
import { printableLine, printableLines } from '../../lib/printable';
import { NotesError, type Answer } from './ask';
import { jsonOrUndefined } from '../../lib/json';

const LONGEST_TAG = 128;
const LONGEST_NAME = 200;
const LONGEST_LINK = 4096;
/** Of one release, in characters. */
const LONGEST_TEXT = 64 * 1024;

/** One page of a project's releases. */
export interface Page {
  releases: Release[];
  /** Address of the next one; null: it is the last. */
  next: string | null;
}

const text = z.string().nullish();
const truth = z.boolean().nullish();
/** GitHub, Gitea and Forgejo. */
const release = z.object({
  tag_name: z.string(),
  name: text,
  body: text,
  html_url: text,
  draft: truth,
  prerelease: truth,
});
const gitlabRelease = z.object({
  tag_name: z.string(),
  name: text,
  description: text,
  upcoming_release: truth,
  _links: z.object({ self: text }).nullish(),
});

/** Reads a page. Throws `NotesError` of kind `unknown` for what is not a list of releases: then it is another forge. */
export function readPage(forge: Forge, answer: Answer, size: number): Page {
  const { url, content } = answer;
  const list = z.array(z.unknown()).safeParse(jsonOrUndefined(content.toString('utf8')));
  if (!list.success) throw new NotesError(`${url.host} returned no list of releases.`, 'unknown');
  const releases = list.data.flatMap((entry) => (forge === 'gitlab' ? fromGitlab(entry) : fromGithub(entry)));
  return { releases, next: nextOf(answer, list.data.length >= size) };
}

function fromGithub(entry: unknown): Release[] {
  const read = release.safeParse(entry);
  if (!read.success || read.data.draft === true) return [];
  const { tag_name: tag, name, body, html_url: url, prerelease } = read.data;
  return [cleanRelease({ tag, name: name ?? '', url: url ?? null, text: body ?? '', prerelease: prerelease === true })];
}

/** GitLab has no pre-releases; a release of the future is `upcoming`. */
function fromGitlab(entry: unknown): Release[] {
  const read = gitlabRelease.safeParse(entry);
  if (!read.success || read.data.upcoming_release === true) return [];
  const { tag_name: tag, name, description, _links: links } = read.data;
  return [
    cleanRelease({ tag, name: name ?? '', url: links?.self ?? null, text: description ?? '', prerelease: false }),
  ];
}

/** Without what only deceives a reader; cut. */
export function cleanRelease({ tag, name, url, text: body, prerelease }: Release): Release {
  const cut = body.length <= LONGEST_TEXT ? body : `${body.slice(0, LONGEST_TEXT)}\n\n…`;
  return {
    tag: printableLine(tag).slice(0, LONGEST_TAG),
    name: printableLine(name).slice(0, LONGEST_NAME),
    url: url !== null && /^https?:\/\//.test(url) && URL.canParse(url) && url.length <= 500 ? new URL(url).href : null,
    text: printableLines(cut).join('\n').trim(),
    prerelease,
  };
}

/** RFC 8288, else the next number where the page was full; never another host. */
function nextOf({ url, headers }: Answer, full: boolean): string | null {
  const link = [headers.link ?? ''].flat().join(', ').slice(0, LONGEST_LINK);
  const target = /<([^<>]*)>\s*;[^,]*rel="?next"?/.exec(link)?.[1];
  if (target !== undefined && URL.canParse(target, url)) {
    const next = new URL(target, url);
    // Behind a proxy a forge may name itself by http.
    next.protocol = url.protocol;
    return next.host === url.host ? next.href : null;
  }
  if (link !== '' || !full) return null;
  const next = new URL(url);
  next.searchParams.set('page', `${Number(url.searchParams.get('page') ?? 1) + 1}`);
  return next.href;
}
