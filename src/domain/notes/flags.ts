import { NOTE_FLAGS, type FlaggedWords, type NoteFlag, type Release } from './release-notes';

const LONGEST_WORDS = 160;

/** In a heading a single word is enough. */
const IN_HEADING: Record<NoteFlag, RegExp> = {
  breaking: /\bbreaking\b|\bincompatib/i,
  migration: /\bmigrat(?:e|es|ed|ing|ions?)\b|\bupgrad(?:e|ing)[ -](?:notes?|guide|instructions|steps|from)\b/i,
  security: /\bsecurity\b|\bvulnerabilit|\bCVE-\d|\bGHSA-/i,
};

/** In a sentence the words must say it: `migrated our tests` and `Content-Security-Policy` concern no operator. */
const IN_TEXT: Record<NoteFlag, RegExp> = {
  breaking:
    /\bbreaking[ -]changes?\b|^\W*breaking\b|\b(?:backwards?|api)[ -]incompatib|\bincompatible changes?\b|\bnot backwards?[ -]compatible|^\W*[a-z]+(?:\([^)]*\))?!:/i,
  migration:
    /\bmigrations?\b|\b(?:must|need(?:s)? to|have to|has to|should|please) (?:be )?migrated?\b|\bmigrate your\b/i,
  security:
    /\bsecurity[ -](?:fix(?:es)?|updates?|issues?|releases?|patch(?:es)?|problems?|holes?|bugs?|flaws?|advisor(?:y|ies)|vulnerabilit\w*)\b|^\W*security\b\W|\bvulnerabilit|\bCVE-\d|\bGHSA-/i,
};
/** Case counts: `BREAKING` is a mark wherever it is. */
const SHOUTED = /\bBREAKING\b/;
const DENIED =
  /\b(?:no|non|zero|without|not(?: a)?)[ -]+(?:known |new |further |any |expected )?(?:breaking|migrations?|security|incompatib\w*|vulnerabilit\w*)(?:[ -](?:changes?|fix(?:es)?|issues?|required|needed|necessary))?/gi;
const NOTHING = /^\W*(?:none|nothing|n\/?a|no|not applicable)?\W*$/i;

/** The flags of one heading. */
export function flagsOfHeading(text: string): NoteFlag[] {
  const said = text.replace(DENIED, ' ');
  return NOTE_FLAGS.filter((flag) => IN_HEADING[flag].test(said));
}

/**
 * Headings and sentences of releases that speak of breaking changes, migrations and security fixes, by words alone: a help
 * for a person, no proof. A heading with nothing but `None` below it does not count.
 */
export function flagsOf(releases: readonly Release[]): FlaggedWords[] {
  return releases.flatMap(({ tag, name, text }) => {
    const found = new Map<NoteFlag, string>();
    const note = (flags: readonly NoteFlag[], words: string): void => {
      for (const flag of flags) if (!found.has(flag)) found.set(flag, cut(words));
    };
    note(flagsOfHeading(name), name);
    for (const part of partsOf(text)) {
      if (part.heading !== null && !isEmpty(part.lines)) note(flagsOfHeading(part.heading), part.heading);
      for (const line of part.lines) note(flagsOfLine(line), line);
    }
    return [...found].map(([flag, words]) => ({ flag, words, tag }));
  });
}

function flagsOfLine(line: string): NoteFlag[] {
  const said = line.replace(DENIED, ' ');
  return NOTE_FLAGS.filter((flag) => IN_TEXT[flag].test(said) || (flag === 'breaking' && SHOUTED.test(said)));
}

interface Part {
  heading: string | null;
  lines: string[];
}

/** The text by its headings (`#`, underlined, or a line that is bold as a whole), without blocks of code. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [{ heading: null, lines: [] }];
  let fence: string | null = null;
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null;
    if (mark !== null && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null;
    if (fence !== null || mark !== null) continue;
    const last = parts.at(-1) as Part;
    const heading = headingOf(line);
    const isUnderline = /^ {0,3}(?:=+|-+)\s*$/.test(line) && (last.lines.at(-1) ?? '').trim() !== '';
    if (heading !== null) parts.push({ heading, lines: [] });
    else if (isUnderline) parts.push({ heading: last.lines.pop() ?? '', lines: [] });
    else last.lines.push(line);
  }
  return parts;
}

function headingOf(line: string): string | null {
  const hashed = /^ {0,3}#{1,6}(?:\s+(.*))?$/.exec(line);
  if (hashed !== null) return (hashed[1] ?? '').replace(/(?<!\s)\s+#+\s*$/, '');
  return /^ {0,3}(?:\*\*|__)([^*_]{1,120})(?:\*\*|__):?\s*$/.exec(line)?.[1] ?? null;
}

/** Nothing, or the word for it. A part may have parts of its own: an empty line says nothing. */
function isEmpty(lines: readonly string[]): boolean {
  const said = lines.filter((line) => line.trim() !== '');
  return said.length > 0 && said.every((line) => NOTHING.test(line));
}

function cut(words: string): string {
  const line = words
    .replace(/^[\s#>*+-]+|[*_`]{1,3}/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= LONGEST_WORDS ? line : `${[...line].slice(0, LONGEST_WORDS - 1).join('')}…`;
}
