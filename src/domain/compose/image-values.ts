import { readEnvFile } from './env-file';
import type { ImageLine } from './image-line';
import type { Piece } from './interpolation';
import type { ProjectText } from './project-text';

/** The compose file that wins, and the image line in it. */
export interface Located {
  file: ProjectText;
  line: ImageLine;
}

/** What a piece of the image line stands for now, and where that is written. */
export interface PieceValue {
  text: string;
  file: ProjectText;
  /** In characters of the file's text. */
  offset: number;
  /** The variable of the `.env` file that holds it; null: it stands in the compose file. */
  variable: string | null;
}

/** The value of every piece, or why it is not certain. */
export function valuesOf(
  pieces: readonly Piece[],
  located: Located,
  envFiles: readonly ProjectText[],
): PieceValue[] | { reason: string } {
  const values = pieces.map((piece) => valueOf(piece, located, envFiles));
  return values.find((value) => 'reason' in value) ?? (values as PieceValue[]);
}

function valueOf(piece: Piece, located: Located, envFiles: readonly ProjectText[]): PieceValue | { reason: string } {
  const inLine = (text: string, start: number): PieceValue => ({
    ...{ text, file: located.file, offset: located.line.start + start },
    variable: null,
  });
  if (piece.kind === 'text') return inLine(piece.text, piece.start);
  const set = lookUp(piece.name, envFiles);
  if (set !== null && 'reason' in set) return set;
  const { fallback } = piece;
  if (fallback !== null && (set === null || (set.text === '' && fallback.whenEmpty)))
    return inLine(fallback.text, fallback.start);
  if (set !== null) return set;
  return { reason: `its image names the variable ${piece.name}, which no .env file that diun-pilot reads sets` };
}

/** Of several files the last that sets it wins. */
function lookUp(name: string, files: readonly ProjectText[]): PieceValue | { reason: string } | null {
  for (const file of [...files].reverse()) {
    const entries = readEnvFile(file.text);
    if (entries === null) return { reason: `${file.path} is written in a way that diun-pilot does not read` };
    const [entry, second] = entries.filter((one) => one.name === name);
    if (entry === undefined) continue;
    if (second !== undefined) return { reason: `${file.path} sets the variable ${name} twice` };
    if (entry.value === null) return { reason: `${file.path} sets the variable ${name} to more than plain text` };
    return { text: entry.value, file, offset: entry.start, variable: name };
  }
  return null;
}
