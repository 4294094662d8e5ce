import { runInNewContext } from 'node:vm';

/** A tag that names a version or a date, taken apart so that two of them can be compared. */
export interface ParsedTag {
  tag: string;
  /** `v`, `release-`: must be equal. */
  prefix: string;
  form: 'version' | 'dashed date' | 'compact date';
  numbers: bigint[];
  /** Rank of the word (alpha, beta, rc) and its numbers; null: a final release. */
  pre: bigint[] | null;
  /** The suffix without the numbers that may rise: `-alpine`, `-rootless`, `-r#`. Must be equal. */
  family: string;
  /** Alpine's own version; or the one number that is the whole suffix (`1.2.3-4`), whatever it counts. */
  base: bigint[];
  /** Build number at the end of the suffix (`-r5`, `-ls45`). */
  build: bigint[];
}

const PREFIX = /^(?:(?:release|version|rel)[-._])?v?(?=\d)/i;
const DASHED_DATE = /^((?:19|20)\d\d)-(\d\d)-(\d\d)(?:T(\d\d)-(\d\d)-(\d\d)Z)?(?=-|$)/;
const COMPACT_DATE = /^((?:19|20)\d\d)(\d\d)(\d\d)(?=-|$)/;
const NUMBERS = /^\d+(?:\.\d+)*/;
/** `dev` and the like name a variant unless a number follows (`1.2-dev` is an image with a shell, `1.2-dev.3` a pre-release). */
const PRE_RELEASE =
  /^[-.]?(?:(alpha|beta|preview|pre|rc)(?:[-.]?(\d+(?:\.\d+)*))?|(dev|nightly|snapshot|canary|a|b|m)[-.]?(\d+(?:\.\d+)*))(?=-|$)/i;
const PRE_RELEASE_ORDER = [
  ['dev', 'nightly', 'snapshot', 'canary'],
  ['a', 'alpha', 'm', 'preview', 'pre'],
  ['b', 'beta'],
  ['rc'],
];

/** Null for tags that are no version: `latest`, `stable`, `alpine3.20`, `bookworm`. */
export function parseTag(tag: string): ParsedTag | null {
  const prefix = PREFIX.exec(tag)?.[0] ?? '';
  const head = parseHead(tag.slice(prefix.length));
  if (head === null) return null;
  const afterHead = tag.slice(prefix.length + head.length);
  const preRelease = head.form === 'version' ? PRE_RELEASE.exec(afterHead) : null;
  if (preRelease !== null && looksLikeACommit(preRelease, head.numbers)) return null;
  const suffix = afterHead.slice(preRelease?.[0].length ?? 0);
  if (suffix !== '' && !/^[-_]/.test(suffix)) return null;
  const pre = preRelease === null ? null : preReleaseNumbers(preRelease);
  return { tag, prefix, form: head.form, numbers: head.numbers, pre, ...parseSuffix(suffix) };
}

/** `3b71234` is the beginning of a git commit, not the 71234th beta of 3. */
function looksLikeACommit([, , , word]: RegExpExecArray, numbers: readonly bigint[]): boolean {
  return word?.length === 1 && numbers.length === 1;
}

function parseHead(text: string): (Pick<ParsedTag, 'form' | 'numbers'> & { length: number }) | null {
  for (const [form, pattern] of [
    ['dashed date', DASHED_DATE],
    ['compact date', COMPACT_DATE],
  ] as const) {
    const date = pattern.exec(text);
    if (date !== null && isDate(date)) return { form, numbers: numbersOf(date.slice(1)), length: date[0].length };
  }
  const numbers = NUMBERS.exec(text)?.[0];
  if (numbers === undefined) return null;
  return { form: 'version', numbers: numbersOf(numbers.split('.')), length: numbers.length };
}

function isDate([, , month, day]: RegExpExecArray): boolean {
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
}

function preReleaseNumbers([, word, number, otherWord, otherNumber]: RegExpExecArray): bigint[] {
  const name = (word ?? otherWord ?? '').toLowerCase();
  const rank = PRE_RELEASE_ORDER.findIndex((words) => words.includes(name));
  return [BigInt(rank), ...numbersOf((number ?? otherNumber ?? '0').split('.'))];
}

function parseSuffix(suffix: string): Pick<ParsedTag, 'family' | 'base' | 'build'> {
  const alone = /^-(\d+)$/.exec(suffix);
  if (alone !== null) return { family: '-#', base: numbersOf(alone.slice(1)), build: [] };
  const alpine = /-alpine(\d+(?:\.\d+)*)(?=-|$)/.exec(suffix);
  const build = /-(?:r|ls)(\d+)$/.exec(suffix);
  const withoutBase = alpine === null ? suffix : suffix.replace(alpine[0], '-alpine#');
  const family = build === null ? withoutBase : withoutBase.replace(/(?<!\d)\d+$/, '#');
  return { family, base: numbersOf(alpine?.[1]?.split('.') ?? []), build: numbersOf(build?.slice(1) ?? []) };
}

function numbersOf(texts: readonly (string | undefined)[]): bigint[] {
  return texts.filter((text): text is string => text !== undefined && text !== '').map((text) => BigInt(text));
}

const LONGEST_PATTERN = 200;
/** A pattern that backtracks without end (`(a+)+$`) would hold up everything, webhooks too. A busy host may pause for 100 ms at any time. */
const MATCH_TIMEOUT_MS = 1_000;

/** The parts of a pattern in which Go and JavaScript can differ: escapes, the start of a class, and names of classes. */
const PARTS = /\\x\{|\\[^]|\[:\^?\w+:\]|\[\^?(?:\]|\[(?!:))?/g;
/** Those that both accept, but that mean something only in Go: in JavaScript they are other characters. */
const ONLY_IN_GO = /^(?:\\[AzCpPQa1-7]|\\x\{|\[:.*|\[\^?\])$/;

/** Why a tag pattern of Diun's labels cannot be used, as text; null: it can. */
export function whyPatternIsInvalid(pattern: string): string | null {
  if (pattern.length > LONGEST_PATTERN) return `it is longer than ${LONGEST_PATTERN} characters`;
  const goes = pattern.match(PARTS)?.find((part) => ONLY_IN_GO.test(part));
  if (goes !== undefined)
    return `diun-pilot cannot read ${goes} as Diun does (write ^, $, [0-9], [a-z] or the characters)`;
  try {
    compile(pattern);
    return null;
  } catch {
    return 'it is not a regular expression';
  }
}

/**
 * Why Diun's include and exclude patterns keep this tag out, as text; null: the tag may pass. As in Diun, a tag passes if
 * any include pattern (or none is given) and no exclude pattern matches it. A pattern that cannot be used keeps every tag
 * out: as an include it matches nothing, and as an exclude its purpose is unknown.
 */
export function whyTagIsFiltered(tag: string, include: readonly string[], exclude: readonly string[]): string | null {
  const keptOutBy = exclude.find((pattern) => matches(pattern, tag) !== false);
  if (keptOutBy !== undefined) return `diun.exclude_tags (${keptOutBy}) keeps ${tag} out`;
  if (include.length === 0 || include.some((pattern) => matches(pattern, tag) === true)) return null;
  return `${tag} matches nothing of diun.include_tags (${include.join(' ; ')})`;
}

/** Of many tags those that may pass, by the same rules; asked at once, since a repository has thousands. */
export function passingTags(tags: readonly string[], include: readonly string[], exclude: readonly string[]): string[] {
  const included = include.map((pattern) => matchEach(pattern, tags));
  const excluded = exclude.map((pattern) => matchEach(pattern, tags));
  return tags.filter((_tag, at) => {
    const keptOut = excluded.some((matched) => matched === null || matched[at] === true);
    return !keptOut && (include.length === 0 || included.some((matched) => matched?.[at] === true));
  });
}

/** Null: the pattern cannot be used. */
function matches(pattern: string, tag: string): boolean | null {
  return matchEach(pattern, [tag])?.[0] ?? null;
}

function matchEach(pattern: string, tags: readonly string[]): boolean[] | null {
  if (whyPatternIsInvalid(pattern) !== null) return null;
  try {
    return runInNewContext(
      'tags.map((tag) => regex.test(tag))',
      { regex: compile(pattern), tags },
      { timeout: MATCH_TIMEOUT_MS },
    ) as boolean[];
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null;
    throw error;
  }
}

/** Diun's patterns are Go's (RE2): its leading `(?i)` is a flag here. */
function compile(pattern: string): RegExp {
  const ignoreCase = pattern.startsWith('(?i)');
  return new RegExp(ignoreCase ? pattern.slice(4) : pattern, ignoreCase ? 'i' : '');
}
