/** A copy of plain data (JSON and undefined). The fakes answer with thousands of copies; `structuredClone` takes several times as long. */
export function plainCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plainCopy) as T;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) copy[name] = plainCopy((value as Record<string, unknown>)[name]);
  return copy as T;
}
