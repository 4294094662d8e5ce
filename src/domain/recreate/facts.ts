/** What is compared: a field's name with its value as text. A field at its default is not there. */
export type ComparableFields = Map<string, string>;

/**
 * A value of the engine's JSON as text, the same for all its ways to say the same: null, empty and zero are nothing,
 * keys have no order, and lists of names are sets. Undefined: nothing is set.
 */
export function normalise(value: unknown): string | undefined {
  const bare = withoutEmpty(value);
  if (bare === undefined) return undefined;
  return typeof bare === 'string' ? bare : JSON.stringify(bare);
}

/** As `normalise`, for a list whose order matters, such as a command. */
export function normaliseOrdered(list: string[] | null | undefined): string | undefined {
  return list && list.length > 0 ? JSON.stringify(list) : undefined;
}

/** Those of a flat list of fields; what is undefined is left out. */
export function factsOf(fields: Record<string, string | undefined>): ComparableFields {
  return new Map(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined));
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return listOrNothing(value.map(withoutEmpty).filter((item) => item !== undefined));
  if (value !== null && typeof value === 'object') return objectOrNothing(value);
  return value === null || value === '' || value === 0 || value === false ? undefined : value;
}

function listOrNothing(list: unknown[]): unknown[] | undefined {
  const sorted = list
    .map((item) => [JSON.stringify(item), item] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.length === 0 ? undefined : sorted.map(([, item]) => item);
}

function objectOrNothing(value: object): object | undefined {
  const entries = Object.entries(value)
    .map(([key, field]) => [key, withoutEmpty(field)] as const)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
