import { posix } from 'node:path';
import { PilotError } from '../errors';
import { compileGlob, Steps } from '../text/glob';

/** `block`: empty where it has none. */
export interface Directive {
  name: string;
  args: string[];
  block: Directive[];
}

/** `nginx -T` prints every file of the configuration under its name. */
const FILE_HEAD = '# configuration file ';
const DEEPEST = 20;
/** Characters that are read, and places of a pattern that are compared; the largest configuration that is read has 4 million characters. */
export const MOST_STEPS = 12_000_000;
/** A directive takes memory, too. */
const STEPS_OF_A_DIRECTIVE = 20;

/**
 * The configuration that `nginx -T` printed, with every `include` replaced by what it includes, and the folder of its main
 * file. The text comes from inside a container: the work on it is counted, and what takes too many steps throws
 * `certificate_unreadable`.
 */
export function readConfiguration(dump: string, mostSteps = MOST_STEPS): { directives: Directive[]; folder: string } {
  const steps = new Steps(mostSteps, tooMuchWork);
  const files = filesOf(dump, steps);
  const main = [...files.keys()][0] ?? '';
  const folder = posix.dirname(main);
  return { directives: included(files.get(main) ?? [], { files, folder, steps }), folder };
}

/** The first argument of each directive of that name. */
export function valuesOfDirective(directives: readonly Directive[], name: string): string[] {
  return directives.filter((each) => each.name === name).map(({ args }) => args[0] ?? '');
}

export function isPort(text: string | undefined): boolean {
  const port = Number(text);
  return port > 0 && port <= 65_535;
}

function tooMuchWork(): PilotError {
  return new PilotError(
    'certificate_unreadable',
    'The configuration of nginx is not read: it takes more work than any configuration needs.',
  );
}

function filesOf(dump: string, steps: Steps): Map<string, Directive[]> {
  const files = new Map<string, Directive[]>();
  let path: string | null = null;
  let lines: string[] = [];
  const end = (): void => {
    if (path !== null) files.set(path, parse(lines.join('\n'), steps));
    lines = [];
  };
  for (const line of dump.split('\n')) {
    if (line.startsWith(FILE_HEAD) && line.endsWith(':')) {
      end();
      path = line.slice(FILE_HEAD.length, -1);
    } else lines.push(line);
  }
  end();
  return files;
}

interface Including {
  files: ReadonlyMap<string, Directive[]>;
  /** Of the main file: relative names are relative to it. */
  folder: string;
  steps: Steps;
}

/** With every `include` replaced by what it includes. */
function included(directives: Directive[], including: Including, depth: number = DEEPEST): Directive[] {
  if (depth === 0) return [];
  const { files, folder, steps } = including;
  const all: Directive[] = [];
  for (const directive of directives) {
    steps.take(STEPS_OF_A_DIRECTIVE);
    if (directive.name !== 'include') {
      all.push({ ...directive, block: included(directive.block, including, depth - 1) });
      continue;
    }
    const matches = compileGlob(posix.resolve(folder, directive.args[0] ?? ''));
    const found = [...files].filter(([path]) => matches(path, steps)).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, content] of found) for (const each of included(content, including, depth - 1)) all.push(each);
  }
  return all;
}

function parse(content: string, steps: Steps): Directive[] {
  const root: Directive[] = [];
  const open = [root];
  let words: string[] = [];
  const end = (): Directive | null => {
    const [name, ...args] = words;
    words = [];
    if (name === undefined) return null;
    steps.take(STEPS_OF_A_DIRECTIVE);
    const directive = { name, args, block: [] };
    open.at(-1)?.push(directive);
    return directive;
  };
  for (const { kind, text } of nginxTokens(content, steps)) {
    if (kind === 'word') words.push(text);
    else if (kind === ';') end();
    else if (kind === '{') open.push(end()?.block ?? []);
    else if (open.length > 1) open.pop();
  }
  return root;
}

/** A word of an nginx configuration, quotes and escapes resolved, or one of its three marks. */
export interface Token {
  kind: 'word' | ';' | '{' | '}';
  text: string;
}

const QUOTES = '"\'';
const MARKS = ';{}';
const BLANK = /\s/;

/**
 * The tokens of a configuration (nginx, ngx_conf_read_token). Each character is read once, whatever the text is: it comes from
 * inside a container. A quote or variable that is not closed ends with the text.
 */
export function* nginxTokens(text: string, steps: Steps): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const from = at;
    const first = text.charAt(at);
    if (BLANK.test(first)) at += 1;
    else if (first === '#') at = endOfLine(text, at);
    else if (MARKS.includes(first)) {
      yield { kind: first as Token['kind'], text: first };
      at += 1;
    } else {
      const word = QUOTES.includes(first) ? quoted(text, at) : plain(text, at);
      yield { kind: 'word', text: word.text };
      at = word.end;
    }
    steps.take(Math.min(at, text.length) - from);
  }
}

interface Word {
  text: string;
  end: number;
}

function quoted(text: string, from: number): Word {
  const quote = text.charAt(from);
  const parts: string[] = [];
  let at = from + 1;
  for (; at < text.length && text.charAt(at) !== quote; at++) {
    if (text.charAt(at) === '\\') at += 1;
    parts.push(text.charAt(at));
  }
  return { text: parts.join(''), end: at + 1 };
}

/** Up to a blank or a mark. The braces of `${name}` belong to the word. */
function plain(text: string, from: number): Word {
  const parts: string[] = [];
  let inVariable = false;
  let at = from;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    const ends = BLANK.test(character) || (MARKS.includes(character) && !inVariable);
    if (ends && !(character === '{' && text.charAt(at - 1) === '$' && at > from)) break;
    if (character === '{') inVariable = true;
    if (character === '}') inVariable = false;
    if (character === '\\') at += 1;
    parts.push(text.charAt(at));
  }
  return { text: parts.join(''), end: at };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
