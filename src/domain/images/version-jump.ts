import { type ParsedTag, parseTag } from './tags';

/** The size of a step from one image to another, smallest first: `digest` is the same tag with other content. */
export type Jump = 'digest' | 'patch' | 'minor' | 'major';

/** How far it is from one tag to another. The reason is as text, also for jumps. */
export interface VersionJump {
  jump: Jump | 'downgrade' | 'incomparable';
  reason: string;
}

const SIZES: readonly Jump[] = ['digest', 'patch', 'minor', 'major'];

/**
 * Compares two tags of one repository, by position and not by what a project means with its numbers:
 *
 * - the first number that differs decides: 1st major, 2nd minor, 3rd and later patch. One number (`15` → `16`) is a
 *   major. Two numbers (`1.27` → `1.28`, and PostgreSQL's `15.6` → `15.7`) are a minor: which of both a project means
 *   cannot be seen, and too large a jump asks once too often, too small a one updates without asking.
 * - below 1.0 a minor counts as a major (`0.9` → `0.10`): such versions promise nothing about it (semver.org, 4).
 * - `v`, suffix (`-alpine`, `-rootless`) and count of numbers must be equal; `1.27` and `1.27.4` are not comparable, since
 *   `1.27` is a floating tag. Within a suffix only these may change: Alpine's own version
 *   (`-alpine3.20`, at least a minor: other C library, other packages), a build number (`-r5`, `-ls45`, a patch), and a
 *   number that is the whole suffix (`1.2.3-4`, a major, since its meaning is unknown).
 * - a pre-release is followed by pre-releases and by its own final release; nothing final is followed by a pre-release.
 * - a date (`2024-05-01`, `20240501`) says when, not how much: at least a minor, a new year is a major. Dates with dots
 *   (`2024.5.1`) are calendar versions and are read like any other numbers.
 * - every other tag (`latest`, `stable`) is comparable to itself only.
 */
export function versionJump(fromTag: string, toTag: string): VersionJump {
  if (fromTag === toTag) return { jump: 'digest', reason: `the tag ${toTag} has a new digest` };
  const from = parseTag(fromTag);
  const to = parseTag(toTag);
  if (from === null) return incomparable(`${fromTag} is not a version, so no other tag can be newer`);
  if (to === null) return incomparable(`${toTag} is not a version, so it cannot be compared with ${fromTag}`);
  const obstacle = whyIncomparable(from, to) ?? whyNotForPreReleases(from, to);
  if (obstacle !== null) return incomparable(obstacle);
  return measure(from, to);
}

/** Whether `jump` is at most `allowed`. */
export function isJumpWithin(jump: Jump, allowed: Jump): boolean {
  return SIZES.indexOf(jump) <= SIZES.indexOf(allowed);
}

/** Whether `tag` is a higher version than `than`; false when they cannot be compared. */
export function isHigherVersion(tag: string, than: string): boolean {
  const { jump } = versionJump(than, tag);
  return jump === 'patch' || jump === 'minor' || jump === 'major';
}

function whyIncomparable(from: ParsedTag, to: ParsedTag): string | null {
  const pair = `${from.tag} and ${to.tag}`;
  if (from.prefix !== to.prefix) return `${pair} begin differently`;
  if (from.form !== to.form) return `only one of ${pair} is a date, or the dates are written differently`;
  if (from.numbers.length !== to.numbers.length) {
    return `${pair} are not equally precise: the shorter one is a floating tag`;
  }
  if (from.family !== to.family) return `${pair} are different variants (${named(from.family)}, ${named(to.family)})`;
  return null;
}

function whyNotForPreReleases(from: ParsedTag, to: ParsedTag): string | null {
  if (from.pre === null && to.pre === null) return null;
  if (from.pre === null) return `${to.tag} is a pre-release and ${from.tag} is not`;
  if (to.pre === null && firstDifference(from.numbers, to.numbers) !== null) {
    return `${from.tag} is a pre-release: after it come other pre-releases and its own final release, not ${to.tag}`;
  }
  return null;
}

function measure(from: ParsedTag, to: ParsedTag): VersionJump {
  const core = numbersJump(from, to) ?? preReleaseJump(from, to);
  const base = baseJump(from, to);
  const jump = core ?? base ?? buildJump(from, to);
  if (jump === null) return incomparable(`${from.tag} and ${to.tag} are the same version in two spellings`);
  if (jump === 'downgrade') return { jump, reason: `${to.tag} is older than ${from.tag}` };
  const size = base === null ? jump : larger(jump, base === 'downgrade' ? 'minor' : base);
  return { jump: size, reason: `${from.tag} → ${to.tag} is a ${size} update` };
}

function numbersJump(from: ParsedTag, to: ParsedTag): Jump | 'downgrade' | null {
  const at = firstDifference(from.numbers, to.numbers);
  if (at === null) return null;
  if (isLower(to.numbers, from.numbers)) return 'downgrade';
  const beforeTheFirst = from.form === 'version' && from.numbers[0] === 0n;
  if (at === 0 || (at === 1 && beforeTheFirst)) return 'major';
  return at === 1 || from.form !== 'version' ? 'minor' : 'patch';
}

function preReleaseJump(from: ParsedTag, to: ParsedTag): Jump | 'downgrade' | null {
  if (from.pre === null || (to.pre !== null && firstDifference(from.pre, to.pre) === null)) return null;
  return to.pre !== null && isLower(to.pre, from.pre) ? 'downgrade' : 'patch';
}

function baseJump(from: ParsedTag, to: ParsedTag): Jump | 'downgrade' | null {
  const at = firstDifference(from.base, to.base);
  if (at === null) return null;
  if (isLower(to.base, from.base)) return 'downgrade';
  return at === 0 ? 'major' : 'minor';
}

/** Asked last: a build number starts again with every version. */
function buildJump(from: ParsedTag, to: ParsedTag): Jump | 'downgrade' | null {
  if (firstDifference(from.build, to.build) === null) return null;
  return isLower(to.build, from.build) ? 'downgrade' : 'patch';
}

function larger(one: Jump, other: Jump): Jump {
  return isJumpWithin(one, other) ? other : one;
}

function firstDifference(one: readonly bigint[], other: readonly bigint[]): number | null {
  const length = Math.max(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at;
  return null;
}

function isLower(one: readonly bigint[], than: readonly bigint[]): boolean {
  const at = firstDifference(one, than);
  return at !== null && (one[at] ?? -1n) < (than[at] ?? -1n);
}

const named = (family: string): string => (family === '' ? 'no suffix' : family);
const incomparable = (reason: string): VersionJump => ({ jump: 'incomparable', reason });
