/**
 * The statements of a script as pg_dumpall writes it, without comments and psql's own commands. Strings, quoted names and
 * `E'…'` may hold semicolons and line breaks; dollar quotes do not come in it.
 */
export function splitSql(script: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const [token] of script.matchAll(TOKENS)) {
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

const TOKENS = /--[^\n]*|\\[^\n]*|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|;|[^;'"\\\-eE]+|[\s\S]/g;
