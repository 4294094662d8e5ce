/** `KEY=value` entries as a map; a key without `=` has an empty value. The last entry wins, as in a process. */
export function environmentOf(entries: readonly string[] | null | undefined): Map<string, string> {
  return new Map(
    (entries ?? []).map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
