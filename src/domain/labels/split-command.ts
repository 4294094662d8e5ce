/**
 * Splits a command line into its words, with quotes as in a shell: `'…'` literally, `"…"` and bare words with `\` before
 * the next character. Nothing is expanded. Null when a quote is not closed or nothing follows the last `\`.
 */
export function splitCommand(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at);
    if (letter === '\\' && quote !== "'") {
      at += 1;
      if (at === line.length) return null;
      word = (word ?? '') + line.charAt(at);
    } else if (quote === null ? letter === '"' || letter === "'" : letter === quote) {
      quote = quote === null ? letter : null;
      word ??= '';
    } else if (quote === null && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (quote !== null) return null;
  return word === null ? words : [...words, word];
}
