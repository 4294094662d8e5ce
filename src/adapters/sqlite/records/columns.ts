/** A piece of SQL, and the values of the named parameters in it. */
interface Clause {
  clause: string;
  values: Record<string, unknown>;
}

/** `fields` in our spelling → what follows `SET`; `json` names those that are kept as JSON. Undefined ones are left out. */
export function assignments(fields: Record<string, unknown>, json: ReadonlySet<string>): Clause {
  const values = valuesOf(fields, json);
  const clause = Object.keys(values)
    .map((name) => `${snakeCase(name)} = @${name}`)
    .join(', ');
  return { clause, values };
}

/** The same → what follows `INSERT INTO table`. */
export function insertion(fields: Record<string, unknown>, json: ReadonlySet<string>): Clause {
  const values = valuesOf(fields, json);
  const names = Object.keys(values);
  const parameters = names.map((name) => `@${name}`);
  return { clause: `(${names.map(snakeCase).join(', ')}) VALUES (${parameters.join(', ')})`, values };
}

function valuesOf(fields: Record<string, unknown>, json: ReadonlySet<string>): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, json.has(name) ? toJson(value) : value]));
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
