import { refuse } from './refused';

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
