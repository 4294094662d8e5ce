/**
 * Index behind the `'…'`, `E'…'` or `"…"` that starts at `at`; null: none starts there, or it has no end. Reads each character
 * once: a pattern overflows the stack on a role setting of some megabytes, which any role may give itself.
 */
export function quotedEnd(text: string, at: number): number | null {
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
