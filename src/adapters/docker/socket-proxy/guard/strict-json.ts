import { refuse } from './refused';

export type Body = Record<string, unknown>;

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
  return value as Record<string, unknown>;
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
