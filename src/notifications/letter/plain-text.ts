import { logLines, oneLine, webUrl } from './clean';
import { notesOf, type Block, type Fact, type Letter, type StepLine } from './letter';

const WIDTH = 76;

/** The text part: complete on its own, readable in a terminal. Only commands, addresses and log lines exceed the width. */
export function plainText(letter: Letter): string {
  const page = webUrl(letter.page);
  const paragraphs = [
    [oneLine(letter.verdict.word).toUpperCase(), ...wrap(oneLine(letter.heading))],
    ...letter.blocks.map(blockText),
    page === null ? [] : ['-- ', 'diun-pilot', page],
    ...notesOf(letter).map((note) => wrap(note)),
  ];
  return `${paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function blockText(block: Block): string[] {
  switch (block.type) {
    case 'heading':
      return [underlined(oneLine(block.text))];
    case 'paragraph':
      return wrap(oneLine(block.text));
    case 'important':
      return wrap(oneLine(block.text), '!! ', '!! ');
    case 'facts':
      return factLines(block.facts);
    case 'list':
      return block.items.flatMap((item, index) => {
        const bullet = block.ordered ? `${index + 1}. ` : '- ';
        return wrap(oneLine(item), bullet, ' '.repeat(bullet.length));
      });
    case 'steps':
      return block.steps.flatMap(stepLines);
    case 'commands':
      return block.lines.map((line) => `    ${oneLine(line)}`);
    case 'log':
      return logLines(block.lines).map((line) => `  | ${line}`);
    case 'link':
      return linkLines(block.label, webUrl(block.url));
  }
}

function underlined(heading: string): string {
  return `${heading}\n${'-'.repeat(Math.min(heading.length, WIDTH))}`;
}

function factLines(raw: Fact[]): string[] {
  const facts = raw.map(({ label, value }) => ({ label: oneLine(label), value }));
  const column = Math.max(...facts.map((fact) => fact.label.length)) + 2;
  return facts.flatMap((fact) => {
    const [first = '', ...rest] = [fact.value].flat().map((value) => oneLine(value));
    const indent = ' '.repeat(column);
    return [...wrap(first, fact.label.padEnd(column), indent), ...rest.flatMap((line) => wrap(line, indent, indent))];
  });
}

function stepLines(step: StepLine): string[] {
  const title = `${step.result.toUpperCase().padEnd(10)}${step.title}${step.duration === null ? '' : ` (${step.duration})`}`;
  return step.detail === null ? [title] : [title, ...wrap(oneLine(step.detail), ' '.repeat(10), ' '.repeat(10))];
}

function linkLines(label: string, url: string | null): string[] {
  return url === null ? [] : [`${oneLine(label)}:`, url];
}

/** Breaks between words only: a digest or an address is never cut; a time with its zone and a command stay in one line. */
function wrap(text: string, first = '', next = ''): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of joinCommands(text.split(/(?<!\d\d:\d\d:\d\d) (?!\d\d:\d\d:\d\d )/))) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** Programs that our sentences name, with the words that may follow: `diun-pilot was stopped` is a sentence. */
const PROGRAMS = new Map<string, RegExp>([
  [
    'docker',
    /^(compose|container|cp|exec|image|inspect|logs|network|ps|rm|run|service|start|stop|system|unpause|volume)$/,
  ],
  ['diun-pilot', /^(approve|audit|backups?|check|decline|recovery-kit|rehearse|renew|restore|suggest|updates?)$/],
  ['nginx', /^-t$/],
  ['ssh', /^-/],
]);
const LAST = /[.,;:)]$/;
/** Words of a command that no sentence has: options, paths, references, numbers, placeholders, connectors. */
const ARGUMENT = /^-|[:/=@\d]|^[A-Z][A-Z_]+$|^&&$|^…/;
const SUBCOMMAND = /^(compose|container|image|network|service|system|volume)$/;

/**
 * Joins the words of each command in a sentence, so that it can stay in one line and be copied: `run docker compose up -d
 * again` has the words `run`, `docker compose up -d` and `again`. Where a command ends is known from its quotes or
 * parentheses, or from the end of the clause after a colon; elsewhere it ends at the first word that reads like a sentence.
 */
function joinCommands(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < words.length;) {
    const length = lengthOfCommand(words, at);
    joined.push(words.slice(at, at + length).join(' '));
    at += length;
  }
  return joined;
}

/** 1: no command starts at this word. */
function lengthOfCommand(words: readonly string[], at: number): number {
  const [, opening = '', name = ''] = /^(["'`(]?)(.*)$/s.exec(words[at] ?? '') ?? [];
  const next = withoutEnd(words[at + 1] ?? '');
  if (PROGRAMS.get(name)?.test(next) !== true) return 1;
  if (opening !== '') {
    const closing = opening === '(' ? ')' : opening;
    const end = words.findIndex((word, index) => index > at && word.includes(closing));
    if (end > 0) return end - at + 1;
  }
  return words[at - 1]?.endsWith(':') === true ? toEndOfClause(words, at) : toSentence(words, at);
}

/** Without its punctuation, and without the quote before that. A pattern would try each of many signs as their first. */
function withoutEnd(word: string): string {
  let end = word.length;
  while (end > 0 && '.,;:)'.includes(word.charAt(end - 1))) end -= 1;
  return word.slice(0, /["'`]/.test(word.charAt(end - 1)) ? end - 1 : end);
}

/** A full stop in quotes ends nothing. */
function toEndOfClause(words: readonly string[], at: number): number {
  let quotes = 0;
  for (let end = at; end < words.length; end++) {
    quotes += words[end]?.split("'").length ?? 1;
    quotes -= 1;
    if (quotes % 2 === 0 && LAST.test(words[end] ?? '')) return end - at + 1;
  }
  return words.length - at;
}

function toSentence(words: readonly string[], at: number): number {
  let end = at + 1;
  if (SUBCOMMAND.test(words[end] ?? '')) end += 1;
  while (end + 1 < words.length && !LAST.test(words[end] ?? '')) {
    const next = words[end + 1] ?? '';
    if (!ARGUMENT.test(next) && !LAST.test(next)) break;
    end += 1;
  }
  return end - at + 1;
}
