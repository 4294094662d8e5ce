/** Names and values in SQL for PostgreSQL. */

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Also right where `standard_conforming_strings` is off. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
