import { PilotError } from '../../domain/errors';
import { quotedEnd } from './quoted';

/** One token of a statement as pg_dumpall writes it. A word is in the spelling of the script; a name and a string are decoded. */
export interface SqlToken {
  kind: 'word' | 'name' | 'string' | 'number' | 'sign';
  value: string;
}

const PLAIN = /\s+|([\p{L}_][\p{L}\p{N}_$]*)|(-?\d+)|([(),=])/uy;

/** Throws `restore_refused` for what pg_dumpall never writes. */
export function tokensOf(statement: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  const plain = new RegExp(PLAIN);
  for (let at = 0; at < statement.length;) {
    const end = quotedEnd(statement, at);
    if (end !== null) {
      tokens.push(quotedToken(statement.slice(at, end), statement, at));
      at = end;
      continue;
    }
    plain.lastIndex = at;
    const found = plain.exec(statement);
    if (found === null) throw notUnderstood(statement, at);
    at = plain.lastIndex;
    const [, word, number, sign] = found;
    if (word !== undefined) tokens.push({ kind: 'word', value: word });
    else if (number !== undefined) tokens.push({ kind: 'number', value: number });
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign });
  }
  return tokens;
}

function quotedToken(quoted: string, statement: string, at: number): SqlToken {
  if (!quoted.startsWith('"')) return { kind: 'string', value: decode(quoted, statement) };
  if (quoted === '""') throw notUnderstood(statement, at);
  return { kind: 'name', value: quoted.slice(1, -1).replaceAll('""', '"') };
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
