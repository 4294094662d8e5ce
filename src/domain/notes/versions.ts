import { type ParsedTag, parseTag } from '../images/tags';
import type { Release } from './release-notes';

/** A version without what only the spelling adds. */
export interface Version {
  /** As it was written. */
  text: string;
  /** What is before the number, without `v`: `helm-chart-`. */
  prefix: string;
  numbers: readonly bigint[];
  pre: readonly bigint[] | null;
  build: readonly bigint[];
}

const LONGEST = 128;

/** Reads `v1.25.0`, `release-1.25.0`, `app@1.25.0`, `REL_15_4`, `1.25.0-alpine`. Null: it names no version. */
export function readVersion(text: string): Version | null {
  if (text.length > LONGEST) return null;
  const [, before = '', numbers = '', rest = ''] = /^(|.*?[-_/@. ])v?(\d+(?:[._]\d+)*)(.*)$/i.exec(text.trim()) ?? [];
  const parsed = numbers === '' ? null : parseTag(`${numbers.replaceAll('_', '.')}${rest.replace(/\+.*$/, '')}`);
  if (parsed === null) return null;
  const prefix = before.toLowerCase().replace(/^v(?:ersion)?[-_. ]?$/, '');
  return { text, prefix, numbers: parsed.numbers, pre: parsed.pre, build: parsed.build };
}

/** Negative: `one` is older. Missing numbers are zeros; a build counts only where both have one. */
export function compareVersions(one: Version, other: Version): number {
  const numbers = compareNumbers(one.numbers, other.numbers);
  if (numbers !== 0) return numbers;
  const pre = comparePre(one.pre, other.pre);
  if (pre !== 0 || one.build.length === 0 || other.build.length === 0) return pre;
  return compareNumbers(one.build, other.build);
}

/** What is known of the version of one side of an update. */
export interface VersionWords {
  /** The image's tag; null: it has none. */
  tag: string | null;
  /** `org.opencontainers.image.version` of the image; null: none. */
  label: string | null;
}

/**
 * The version of an image. A tag that names all of it counts (`1.27.3`), else the label, unless it contradicts the tag: an image often
 * inherits the label of the image that it was built from. `exact` false: the tag is all there is, and others have it too (`1.27`).
 */
export function versionOf({ tag, label }: VersionWords): { version: Version; exact: boolean } | null {
  const parsed = tag === null ? null : parseTag(tag);
  const byTag = parsed === null ? null : readVersion(parsed.tag);
  if (byTag !== null && isExact(parsed)) return { version: byTag, exact: true };
  const byLabel = label === null ? null : readVersion(label);
  const fits = byLabel !== null && (byTag === null || startsWith(byLabel.numbers, byTag.numbers));
  if (fits) return { version: byLabel, exact: true };
  return byTag === null ? null : { version: byTag, exact: false };
}

/** Three numbers or a date: no tag that floats is written so. */
export function isExact(parsed: ParsedTag | null): boolean {
  return parsed !== null && (parsed.numbers.length >= 3 || parsed.form !== 'version');
}

/** The releases after `from` up to and with `to`, newest first. */
export interface Chosen {
  releases: Release[];
  /** Whether the release of `to` itself is among them. */
  hasTarget: boolean;
}

/**
 * Chooses of a project's releases those between two versions. Pre-releases are left out unless they are the target. A repository
 * that releases several things names them by a prefix: only those with the prefix of the target count.
 */
export function between(releases: readonly Release[], from: Version, to: Version): Chosen {
  const read = releases.flatMap((release) => {
    const version = readVersion(release.tag) ?? readVersion(release.name);
    return version === null ? [] : [{ release, version }];
  });
  const target = targetOf(
    read.map(({ version }) => version),
    to,
  );
  // `1.27` floats: which of `1.27.x` it was cannot be seen.
  const floats = target === undefined || to.numbers.length < 3;
  const isUpTo = (version: Version): boolean =>
    compareVersions(version, to) <= 0 || (floats && startsWith(version.numbers, to.numbers));
  const chosen = read.filter(({ release, version }) => {
    const sameThing = version.prefix === (target?.prefix ?? '');
    const isTarget = compareVersions(version, to) === 0;
    const isPre = release.prerelease || version.pre !== null;
    return sameThing && compareVersions(version, from) > 0 && isUpTo(version) && (isTarget || !isPre);
  });
  chosen.sort((a, b) => compareVersions(b.version, a.version));
  const floating = target === undefined && chosen.some(({ version }) => startsWith(version.numbers, to.numbers));
  return { releases: chosen.map(({ release }) => release), hasTarget: target !== undefined || floating };
}

/** Of several with that version, the one without a prefix. */
function targetOf(versions: readonly Version[], to: Version): Version | undefined {
  const same = versions.filter((version) => compareVersions(version, to) === 0);
  return same.find(({ prefix }) => prefix === '') ?? same[0];
}

/** Whether older releases need not be read: one is of `from`, or all of them are older. */
export function reaches(releases: readonly Release[], from: Version, to: Version): boolean {
  const all = releases.map(({ tag }) => readVersion(tag)).filter((version) => version !== null);
  const prefix = targetOf(all, to)?.prefix ?? '';
  const versions = all.filter((version) => version.prefix === prefix);
  return (
    versions.some((version) => compareVersions(version, from) === 0) ||
    (versions.length > 0 && versions.every((version) => compareVersions(version, from) < 0))
  );
}

function compareNumbers(one: readonly bigint[], other: readonly bigint[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [a, b] = [one[at] ?? 0n, other[at] ?? 0n];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

function comparePre(one: readonly bigint[] | null, other: readonly bigint[] | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return compareNumbers(one, other);
}

function startsWith(numbers: readonly bigint[], beginning: readonly bigint[]): boolean {
  return beginning.every((number, at) => numbers[at] === number);
}

const HEADING = /^ {0,3}#{1,3}\s+(?<title>.+?)(?:\s+#+)?\s*$/;
/** `[1.25.0]`, `v1.25.0 (2025-01-02)`, `Version 1.25.0`. */
const VERSION = /^\W*(?:version\s+|release\s+)?(?<version>v?\d+(?:\.\d+)+[^\s\])(:,]*)/i;

/** The sections of a changelog, one release for each heading with a version (keepachangelog.com and the like). */
export function releasesOfChangelog(text: string, url: string): Release[] {
  const releases: Release[] = [];
  let lines: string[] = [];
  const end = (): void => {
    const last = releases.at(-1);
    if (last !== undefined) last.text = lines.join('\n').trim();
    lines = [];
  };
  for (const line of text.split('\n')) {
    const title = HEADING.exec(line)?.groups?.['title'] ?? '';
    const tag = VERSION.exec(title)?.groups?.['version'] ?? '';
    const version = tag === '' ? null : readVersion(tag);
    if (version === null) {
      lines.push(line);
      continue;
    }
    end();
    releases.push({ tag, name: title, url, text: '', prerelease: version.pre !== null });
  }
  end();
  return releases;
}
