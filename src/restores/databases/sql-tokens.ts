import { PilotError } from '../../domain/errors';

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

/**
 * The statements of a script as pg_dumpall writes it, without comments and psql's own commands. Strings, quoted names and
 * `E'…'` may hold semicolons and line breaks; dollar quotes do not come in it.
 */
export function splitSql(script: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const token of tokens(script)) {
    if (token.startsWith('--') || (token.startsWith('\\') && statement.trim() === '')) continue;
    if (token !== ';') statement += token;
    else {
      statements.push(statement.trim());
      statement = '';
    }
  }
  if (statement.trim() !== '') statements.push(statement.trim());
  return statements.filter((found) => found !== '');
}

function* tokens(script: string): Generator<string> {
  const plain = new RegExp(PLAIN_STATEMENT);
  for (let at = 0; at < script.length;) {
    const start = at;
    plain.lastIndex = at;
    at = quotedEnd(script, at) ?? at + (plain.exec(script)?.[0].length ?? 1);
    yield script.slice(start, at);
  }
}

const PLAIN_STATEMENT = /--[^\n]*|\\[^\n]*|;|[^;'"\\\-eE]+|[\s\S]/y;

/**
 * Index behind the `'…'`, `E'…'` or `"…"` that starts at `at`; null: none starts there, or it has no end. Reads each character
 * once: a pattern overflows the stack on a role setting of some megabytes, which any role may give itself.
 */
function quotedEnd(text: string, at: number): number | null {
  const escapes = (text[at] === 'e' || text[at] === 'E') && text[at + 1] === "'";
  const open = escapes ? at + 1 : at;
  const quote = text[open];
  if (quote !== "'" && quote !== '"') return null;
  for (let i = open + 1; i < text.length; i++) {
    if (escapes && text[i] === '\\') i++;
    else if (text[i] === quote && text[i + 1] === quote) i++;
    else if (text[i] === quote) return i + 1;
  }
  return null;
}
