import type { Deps } from '../deps';
import { NOTES_READING } from '../domain/bounds';
import type { Container, ImageOrigin } from '../domain/container';
import { messageOf } from '../domain/errors';
import { digestReference, type ImageTarget, tagOf } from '../domain/images/image-reference';
import { parseTag } from '../domain/images/tags';
import { flagsOf } from '../domain/notes/flags';
import { NOTE_FLAGS, type ReadNotes, type Release } from '../domain/notes/release-notes';
import { type NotesSource, readSource } from '../domain/notes/source';
import {
  between,
  compareVersions,
  isExact,
  reaches,
  type Version,
  versionOf,
  type VersionWords,
} from '../domain/notes/versions';
import { originOf } from '../domain/to-container';
import { platformOfTarget } from '../services/look-at-target';
import type { RegistryAsked } from './ask-registry';

/** What a pass over one or many updates reads release notes with. */
export interface NotesPass {
  registry: Pick<RegistryAsked, 'config'>;
  /** Of all that is read in the pass; aborted, the rest is left unread. */
  signal: AbortSignal;
}

/** The end of all reading that begins now, so that no decision waits longer. */
export function notesDeadline(ms: number = NOTES_READING.ms): AbortSignal {
  return AbortSignal.timeout(ms);
}

/**
 * The notes of every release between what a container runs and a target, from `update.notes` or the source label of the new or the
 * old image. Null: no source is known. Never rejects.
 */
export async function readNotes(
  deps: Pick<Deps, 'engine' | 'logger' | 'releaseNotes' | 'swarm'>,
  container: Container,
  target: ImageTarget,
  pass: NotesPass,
): Promise<ReadNotes | null> {
  const origin = await originOfTarget(deps, container, target, pass);
  const { source, changed } = sourceOf(container, origin.read);
  if (source === null) return null;
  const tag = tagOf(target.reference);
  const versions = versionsBetween(container, { tag, label: origin.read?.version ?? null });
  const notes =
    'problem' in versions
      ? linkTo(source, origin.problem ?? versions.problem)
      : versions.from === null
        ? linkTo(source, null)
        : await readBetween(deps, source, versions, pass.signal);
  const problem = notes.problem ?? changed;
  if (problem !== null) {
    const { name } = container;
    deps.logger.warn('release notes were not read as a whole', { container: name, url: source.url, reason: problem });
  }
  return { ...notes, problem };
}

async function readBetween(
  { releaseNotes }: Pick<Deps, 'releaseNotes'>,
  source: NotesSource,
  { from, to }: { from: Version; to: Version },
  signal: AbortSignal,
): Promise<ReadNotes> {
  const refusal = releaseNotes.whyNotAllowed(source);
  if (refusal !== null) return linkTo(source, refusal);
  try {
    const read = await inTime(
      signal,
      releaseNotes.read(source, (releases) => reaches(releases, from, to), signal),
    );
    const { releases, hasTarget } = between(read.releases, from, to);
    const missing = hasTarget ? null : `The project lists no release of ${to.text}.`;
    return { ...notesOf(source, releases), problem: read.problem ?? missing };
  } catch (error) {
    return linkTo(source, messageOf(error));
  }
}

function linkTo({ url }: NotesSource, problem: string | null): ReadNotes {
  return { url, versions: [], flags: [], problem, found: [], releases: [] };
}

function notesOf({ url }: NotesSource, releases: readonly Release[]): Omit<ReadNotes, 'problem'> {
  const found = flagsOf(releases);
  return {
    url,
    versions: releases.map(({ tag }) => tag),
    flags: NOTE_FLAGS.filter((flag) => found.some((each) => each.flag === flag)),
    found,
    releases: shownOf(releases),
  };
}

/** The newest, up to a length; of those that are beyond it only the link is kept. */
function shownOf(releases: readonly Release[]): Release[] {
  let left: number = NOTES_READING.shown;
  return releases.slice(0, NOTES_READING.releases).map((release) => {
    const text = release.text.length <= left ? release.text : `${release.text.slice(0, Math.max(left, 0))}\n\n…`;
    left -= release.text.length;
    return { ...release, text };
  });
}

/** The operator's label counts, then the new image's, then the old one's. */
function sourceOf(
  { labels, origin: old }: Container,
  read: ImageOrigin | null,
): { source: NotesSource | null; changed: string | null } {
  if (labels.notes !== undefined)
    return { source: labels.notes === null ? null : readSource(labels.notes), changed: null };
  const [newer, older] = [read?.source ?? null, old?.source ?? null].map((text) => (text ? projectOf(text) : null));
  const source = newer ?? older ?? null;
  const moved = newer && older && newer.url !== older.url;
  return {
    source,
    changed: moved ? `The image names another source than before (${older.url}), whose notes were not read.` : null,
  };
}

/** An image names its project only: it must not choose which file of a listed host is read, with the operator's token. */
function projectOf(label: string): NotesSource | null {
  const source = readSource(label);
  return source && { ...source, asked: source.asked.filter(({ forge }) => forge !== 'changelog') };
}

/** Labels of the new image, where tags and `update.notes` do not say everything. */
async function originOfTarget(
  deps: Pick<Deps, 'engine' | 'swarm'>,
  container: Container,
  { reference, digest }: ImageTarget,
  { registry, signal }: NotesPass,
): Promise<{ read: ImageOrigin | null; problem: string | null }> {
  const tag = tagOf(reference) ?? '';
  if (container.labels.notes !== undefined && isExact(parseTag(tag))) return { read: null, problem: null };
  try {
    const labels = await inTime(signal, labelsOf(deps, container, digestReference(reference, digest), registry));
    return { read: labels === null ? null : originOf(labels), problem: null };
  } catch (error) {
    return { read: null, problem: `The labels of the new image are not known: ${messageOf(error)}` };
  }
}

async function labelsOf(
  deps: Pick<Deps, 'engine' | 'swarm'>,
  container: Container,
  reference: string,
  registry: NotesPass['registry'],
): Promise<Record<string, string> | null> {
  const platform = await platformOfTarget(deps, container);
  return platform === null ? null : ((await registry.config(reference, platform))?.labels ?? null);
}

/** Rejects as soon as the signal is aborted. */
function inTime<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error('The time for reading was over.'));
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}

/** Between which versions notes are read; `from` null: it is the same version, built again. */
export type Between = { from: Version; to: Version } | { from: null } | { problem: string };

/** By the tags where they say it, else by the version labels of the two images. */
function versionsBetween(
  { reference, origin }: Pick<Container, 'reference' | 'origin'>,
  target: VersionWords,
): Between {
  const tag = tagOf(reference);
  const from = versionOf({ tag, label: origin?.version ?? null });
  const to = versionOf(target);
  const floats = tag === target.tag && !(from?.exact === true && to?.exact === true);
  if (from === null || to === null || floats) return { problem: unknownVersion(from === null ? tag : target.tag) };
  const order = compareVersions(from.version, to.version);
  if (order === 0) return { from: null };
  if (order < 0) return { from: from.version, to: to.version };
  return { problem: `The update goes back from ${from.version.text} to ${to.version.text}, so no notes were read.` };
}

function unknownVersion(tag: string | null): string {
  return `The tag ${tag ?? ''} does not name a version, and the image has no usable label org.opencontainers.image.version.`;
}
