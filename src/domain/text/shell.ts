/** One word of a command for a POSIX shell: it stays one word and runs nothing, whatever is in it. Quoted only where that is needed. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : shellQuoted(text);
}

/** The same, quoted always. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
