/** A request that the guard does not pass on. The message says what it asks for, and continues "the socket proxy refuses …: ". */
export class Refused extends Error {}

/** What the request names is not there: the engine would answer 404, and the message is in its words. */
export class Missing extends Refused {}

export function missing(what: 'container' | 'image', name: string): never {
  throw new Missing(`No such ${what}: ${name}`);
}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

export function mustBe(holds: boolean, reason: string): void {
  if (!holds) refuse(reason);
}

export type Body = Record<string, unknown>;

/** What the engine reads as maps, whose keys keep their case: only in this spelling, since one in another may be no map. */
const MAPS = words(
  'Labels Annotations Sysctls Tmpfs Options DriverOpts StorageOpt Volumes ExposedPorts PortBindings EndpointsConfig',
);

/** A JSON object, or null for an empty body. What is passed on is written again from it, so that no key can be read in two ways. */
export function readObject(body: Buffer): Record<string, unknown> | null {
  const text = decode(body);
  if (text.trim() === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse('its body is not JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse('its body is not a JSON object');
  mustHaveOneSpelling(value);
  return value as Record<string, unknown>;
}

/** Deeper than any request, and far from what the stack holds. */
const DEEPEST = 50;

/** Go matches keys of any case and takes the last one: a second spelling could say what the guard does not see. */
function mustHaveOneSpelling(value: unknown, isMap = false, depth = 0): void {
  if (value === null || typeof value !== 'object') return;
  if (depth > DEEPEST) refuse('its body is too deep');
  const entries = Object.entries(value);
  const seen = new Map<string, string>();
  for (const [key, field] of entries) {
    const folded = isMap || Array.isArray(value) ? key : foldedAsGo(key);
    const other = seen.get(folded);
    if (other !== undefined) refuse(`its body has the keys ${other} and ${key}, which the engine reads as one`);
    seen.set(folded, key);
    mustHaveOneSpelling(field, MAPS.has(key) && !isMap && !Array.isArray(field), depth + 1);
  }
}

/** Besides the letters of ASCII, two more fold to them (encoding/json, `foldName`). */
function foldedAsGo(key: string): string {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
}

/** The engine takes a key in any case (`binds` for `Binds`); here it has one spelling. */
export function onlyKeys(where: string, value: unknown, known: ReadonlySet<string>): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) refuse(`${where} is not an object`);
  const unknown = Object.keys(value).find((key) => !known.has(key));
  if (unknown !== undefined) refuse(`${where} has the unknown field ${JSON.stringify(unknown)}`);
  return value as Record<string, unknown>;
}

export function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return refuse('its body is not UTF-8');
  }
}

/**
 * Whether the engine reads the same from two values of its JSON. A whole field that is null is left out, and keys have no
 * order: an empty entry is an entry (a port that is published, a network that is joined), as is each word of a list.
 */
export function isSameJson(one: unknown, other: unknown): boolean {
  return canonicalText(one) === canonicalText(other);
}

/** The same, where the engine itself lists its entries in another order each time (mounts, aliases). */
export function isSameInAnyOrder(one: unknown, other: unknown): boolean {
  return canonicalText(sorted(one)) === canonicalText(sorted(other));
}

/** A field that asks for nothing: left out, or the zero value of its type. A list or a map with an entry asks for something. */
export function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

function canonicalText(value: unknown): string {
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
  return Array.isArray(value) ? value.map(canonicalText).sort() : value;
}
