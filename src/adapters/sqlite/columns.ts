/** `fields` in our spelling → `SET` clause and values for named parameters; `json` names the columns kept as JSON. */
export function assignments(
  fields: Record<string, unknown>,
  json: ReadonlySet<string>,
): { clause: string; values: Record<string, unknown> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    clause: entries.map(([name]) => `${snakeCase(name)} = @${name}`).join(', '),
    values: Object.fromEntries(entries.map(([name, value]) => [name, json.has(name) ? toJson(value) : value])),
  };
}

export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

export function fromJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
