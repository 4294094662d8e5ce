/** A piece of a value in a compose file, with its range in that value. */
export type Piece = { start: number; end: number } & (
  { kind: 'text'; text: string } | { kind: 'variable'; name: string; fallback: Fallback | null }
);

/** `${NAME:-text}` (`whenEmpty`: also where NAME is set, but empty) or `${NAME-text}`; the range is that of the text alone. */
export interface Fallback {
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
