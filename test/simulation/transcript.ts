import type { Call } from '../support/fake-engine';

/** One line for each call and event, with numbers in place of random ids. */
export function printed(calls: readonly Call[]): string[] {
  const seen = new Map<string, string>();
  const named = (id: string): string => {
    const known = seen.get(id) ?? `#${seen.size + 1}`;
    seen.set(id, known);
    return known;
  };
  return calls.map(({ at, line, outcome }) => {
    const plain = line
      .replace(/(?<=\.diun-pilot-[a-z]+-)[0-9a-z]{10}/g, named)
      .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, (id) => named(id.slice(-10).toLowerCase()));
    return `${at.toISOString()} ${plain}${outcome === 'ok' ? '' : ` → ${outcome}`}`;
  });
}
