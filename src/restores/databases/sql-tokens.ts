import { PilotError } from '../../domain/errors';

/** One token of a statement as pg_dumpall writes it. A word is in the spelling of the script; a name and a string are decoded. */
export interface SqlToken {
  kind: 'word' | 'name' | 'string' | 'number' | 'sign';
  value: string;
}

const TOKENS =
  /\s+|([eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*')|("(?:[^"]|"")+")|([\p{L}_][\p{L}\p{N}_$]*)|(-?\d+)|([(),=])/uy;

/** Throws `restore_refused` for what pg_dumpall never writes. */
export function tokensOf(statement: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  const pattern = new RegExp(TOKENS);
  while (pattern.lastIndex < statement.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(statement);
    if (found === null) throw notUnderstood(statement, at);
    const [, string, name, word, number, sign] = found;
    if (string !== undefined) tokens.push({ kind: 'string', value: decode(string, statement) });
    else if (name !== undefined) tokens.push({ kind: 'name', value: name.slice(1, -1).replaceAll('""', '"') });
    else if (word !== undefined) tokens.push({ kind: 'word', value: word });
    else if (number !== undefined) tokens.push({ kind: 'number', value: number });
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign });
  }
  return tokens;
}

export function notUnderstood(statement: string, at = 0): PilotError {
  const shown = statement.slice(at === 0 ? 0 : Math.max(0, at - 40), at + 60).replace(/\s+/g, ' ');
  return new PilotError(
    'restore_refused',
    `The roles of the set contain a statement that diun-pilot does not know, so it runs none of them: ${shown}`,
  );
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function decode(quoted: string, statement: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  return quoted.slice(2, -1).replace(/''|\\([\s\S])/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return "'";
    if (/[\dxuU]/.test(escaped)) throw notUnderstood(statement);
    return ESCAPES[escaped] ?? escaped;
  });
}
