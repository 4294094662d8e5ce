/** A piece of a value in a compose file, with its range in that value. */
export type Piece = { start: number; end: number } & (
  { kind: 'text'; text: string } | { kind: 'variable'; name: string; fallback: Fallback | null }
);

/** `${NAME:-text}` (`whenEmpty`: also where NAME is set, but empty) or `${NAME-text}`; the range is that of the text alone. */
interface Fallback {
  text: string;
  start: number;
  end: number;
  whenEmpty: boolean;
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const PIECE = new RegExp(`\\$(${NAME})|\\$\\{(${NAME})(?:(:?-)([^\${}]*)|:?\\?[^\${}]*)?\\}|[^$]+`, 'y');

/**
 * Reads the variables of a value as Compose does (Compose file reference, "Interpolation"). Null: there is something in it
 * that is not understood for certain, such as `$$`, `${NAME:+…}` or a default within a default.
 */
export function readPieces(value: string): Piece[] | null {
  const pieces: Piece[] = [];
  for (let start = 0; start < value.length;) {
    PIECE.lastIndex = start;
    const found = PIECE.exec(value);
    if (found === null) return null;
    const end = start + found[0].length;
    pieces.push(pieceOf(found, start, end));
    start = end;
  }
  return pieces;
}

function pieceOf([whole, short, long, dash, text]: RegExpExecArray, start: number, end: number): Piece {
  const name = short ?? long;
  if (name === undefined) return { kind: 'text', text: whole, start, end };
  if (dash === undefined || text === undefined) return { kind: 'variable', name, fallback: null, start, end };
  const textStart = end - 1 - text.length;
  const fallback = { text, start: textStart, end: end - 1, whenEmpty: dash === ':-' };
  return { kind: 'variable', name, fallback, start, end };
}

/** How often a text names a variable, whatever for. */
export function countMentions(text: string, name: string): number {
  return [...text.matchAll(new RegExp(`(?<!\\$)\\$\\{?${name}(?![A-Za-z0-9_])`, 'g'))].length;
}

/** One assignment of a `.env` file, with the range of its value, without quotes. */
interface EnvEntry {
  name: string;
  /** Null: the value is more than plain text (variables, escapes, several lines), or it is taken from the environment. */
  value: string | null;
  start: number;
  end: number;
}

const BLANK = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
const BEGIN = /[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*/y;
const REST = /[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/y;
const NOT_PLAIN = /[$\\`'"\n]/;

/** Reads a `.env` file as Compose does. Null: something in it is not understood for certain. */
export function readEnvFile(text: string): EnvEntry[] | null {
  const entries: EnvEntry[] = [];
  for (let at = 0; at < text.length;) {
    const blank = matchAt(BLANK, text, at);
    if (blank !== null && blank[0] !== '') {
      at += blank[0].length;
      continue;
    }
    const read = readEntry(text, at);
    if (read === null) return null;
    entries.push(read.entry);
    at = read.end;
  }
  return entries;
}

function readEntry(text: string, at: number): { entry: EnvEntry; end: number } | null {
  const begin = matchAt(BEGIN, text, at);
  if (begin === null) return null;
  const [whole, name = ''] = begin;
  const after = at + whole.length;
  if (text[after] !== '=' && text[after] !== ':') return readTaken(text, name, after);
  const start = after + 1 + (/^[ \t]*/.exec(text.slice(after + 1, after + 1000))?.[0].length ?? 0);
  const quote = text[start];
  return quote === '"' || quote === "'" ? readQuoted(text, name, start, quote) : readBare(text, name, start);
}

/** A name alone: its value is that of the environment. */
function readTaken(text: string, name: string, at: number): { entry: EnvEntry; end: number } | null {
  const rest = matchAt(REST, text, at);
  return rest === null ? null : { entry: { name, value: null, start: at, end: at }, end: at + rest[0].length };
}

function readQuoted(text: string, name: string, open: number, quote: string): { entry: EnvEntry; end: number } | null {
  const start = open + 1;
  let end = start;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) return null;
  const rest = matchAt(REST, text, end + 1);
  if (rest === null) return null;
  return { entry: { name, value: plain(text.slice(start, end)), start, end }, end: end + 1 + rest[0].length };
}

/** Up to the end of the line, or to a comment that a blank sets apart. */
function readBare(text: string, name: string, start: number): { entry: EnvEntry; end: number } {
  const newline = text.indexOf('\n', start);
  const lineEnd = newline < 0 ? text.length : newline;
  const line = text.slice(start, lineEnd);
  const comment = /(?:^|[ \t])#/.exec(line);
  const value = line.slice(0, comment?.index ?? line.length).trimEnd();
  return { entry: { name, value: plain(value), start, end: start + value.length }, end: lineEnd + 1 };
}

function plain(value: string): string | null {
  return NOT_PLAIN.test(value) ? null : value;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
