/** The words of docs/writing.md that the project does not use. Each entry: the phrase, and what to write instead. */
export const BANNED: readonly (readonly [phrase: string, instead: string])[] = [
  ['told', 'reported, shown, logged'],
  ['tells', 'reports, shows'],
  ['mend', 'fix, correct, repair'],
  ['mends', 'fixes, corrects'],
  ['mended', 'fixed, corrected'],
  ['anew', 'again; re-created, rebuilt, reissued'],
  ['whoever', 'name the actor: "the first visitor", "any client"'],
  ['beside', 'next to, alongside'],
  ['by itself', 'automatically; on its own'],
  ['by themselves', 'automatically; on their own'],
  ['any more', 'no longer'],
  ['begun', 'started'],
  ['lies', 'is, is stored'],
  ['bears', 'has, is named'],
  ['nobody', '"no container", "no process", "no one else"'],
  ['somebody', '"another process", "another program", "externally"'],
  ['what waits', 'pending updates, pending approvals'],
  ['is no', 'is not a'],
  ['so is', 'repeat the verb, or "also"'],
  ['asked for', 'requested'],
  ['set aside', 'renamed, retained'],
  ['in words', 'as text; name the function after what it formats'],
  ['ill', 'unhealthy'],
  ['serves again', 'is running again'],
  ['broken off', 'aborted'],
  ['the begin of', 'the start of'],
  ['he', '"you", "the operator"'],
  ['himself', '"you", "the operator"'],
];

/** Places where a phrase is right, with the reason. A place that no longer has the phrase must leave the list. */
export const ALLOWED: readonly { file: string; phrase: string; reason: string }[] = [];

/** Folders and files that still have banned words. The list may only shrink: a clean entry fails the test. */
export const NOT_YET_CLEAN: readonly string[] = [];

/** "there is no X" and "is no longer" are idiomatic. */
const EXCEPT: Readonly<Record<string, { before?: string; after?: string }>> = {
  'is no': { before: 'there\\s', after: '\\s(?:longer|more|less|later|older|newer|larger|smaller)\\b' },
};

/** Between two words of a phrase: blanks, the joints of names, the next line of a comment, two joined strings. */
const GAP = '(?:[\\s_-]|\\n\\s*(?:\\*|//|#|--)\\s*|[\'"`]\\s*\\+\\s*[\'"`])+';

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Matches the phrase in prose, and as part of a camelCase, kebab-case or snake_case name. */
function patternsOf(phrase: string): RegExp[] {
  const words = phrase.split(' ');
  const { before, after } = EXCEPT[phrase] ?? {};
  const start = before === undefined ? '' : `(?<!${before})`;
  const end = after === undefined ? '' : `(?!${after})`;
  const prose = new RegExp(`${start}(?<![A-Za-z'’])${words.join(GAP)}(?![A-Za-z])${end}`, 'gi');
  const [first = '', ...others] = words;
  const tail = others.map(capitalised).join('');
  const camel = new RegExp(
    `(?:(?<![A-Za-z'’])${first}|(?<=[a-z0-9])${capitalised(first)}|(?<![A-Za-z])${capitalised(first)})${tail}(?![a-z])`,
    'g',
  );
  return [prose, camel];
}

const PATTERNS = BANNED.map(([phrase, instead]) => ({ phrase, instead, patterns: patternsOf(phrase) }));

export interface Finding {
  line: number;
  phrase: string;
  instead: string;
}

/** Every banned word of a text, by line; a word that both patterns match counts once. */
export function bannedIn(text: string): Finding[] {
  const found = new Map<string, Finding>();
  for (const { phrase, instead, patterns } of PATTERNS) {
    for (const pattern of patterns) {
      for (const { index } of text.matchAll(pattern)) {
        const line = text.slice(0, index).split('\n').length;
        found.set(`${index} ${phrase}`, { line, phrase, instead });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}
