import { runInNewContext } from 'node:vm';

const LONGEST_PATTERN = 200;
/** A pattern that backtracks without end (`(a+)+$`) would hold up everything, webhooks too. */
const MATCH_TIMEOUT_MS = 100;

/** Why a tag pattern of Diun's labels cannot be used, as text; null: it can. */
export function whyPatternIsInvalid(pattern: string): string | null {
  if (pattern.length > LONGEST_PATTERN) return `it is longer than ${LONGEST_PATTERN} characters`;
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
