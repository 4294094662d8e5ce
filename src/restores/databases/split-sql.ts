import { quotedEnd } from './quoted';

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
  const plain = new RegExp(PLAIN);
  for (let at = 0; at < script.length;) {
    const start = at;
    plain.lastIndex = at;
    at = quotedEnd(script, at) ?? at + (plain.exec(script)?.[0].length ?? 1);
    yield script.slice(start, at);
  }
}

const PLAIN = /--[^\n]*|\\[^\n]*|;|[^;'"\\\-eE]+|[\s\S]/y;
