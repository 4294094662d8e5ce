/**
 * Whether the engine reads the same from two values of its JSON. A whole field that is null is left out, and keys have no
 * order: an empty entry is an entry (a port that is published, a network that is joined), as is each word of a list.
 */
export function isSame(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

/** The same, where the engine itself lists its entries in another order each time (mounts, aliases). */
export function isSameInAnyOrder(one: unknown, other: unknown): boolean {
  return textOf(sorted(one)) === textOf(sorted(other));
}

/** A field that asks for nothing: left out, or the zero value of its type. A list or a map with an entry asks for something. */
export function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

function textOf(value: unknown): string {
  return JSON.stringify(canonical(value ?? null));
}

/** An object becomes its entries, in the order of their keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([first], [second]) => (first < second ? -1 : 1));
  return { entries: entries.map(([key, field]) => [key, canonical(field)]) };
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(textOf).sort() : value;
}
