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
  const family = build === null ? withoutBase : withoutBase.replace(/\d+$/, '#');
  return { family, base: numbersOf(alpine?.[1]?.split('.') ?? []), build: numbersOf(build?.slice(1) ?? []) };
}

function numbersOf(texts: readonly (string | undefined)[]): bigint[] {
  return texts.filter((text): text is string => text !== undefined && text !== '').map((text) => BigInt(text));
}
