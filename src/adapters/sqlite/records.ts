import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';
import type { Database } from './database';

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

export type Value = string | number | null;
type Fields = Record<string, unknown>;

/** A table of records with an id, in our spelling. */
export interface Records<T> {
  /** `clause`: what follows `SELECT * FROM table`. */
  select: (clause: string, ...values: Value[]) => T[];
  get: (id: string) => T | null;
  /** A new one, with an id and made now. What is not given is null, or the column's default. */
  add: (fields: Fields) => T;
  /** Sets what is given, leaves the rest; answers the record as it is then. */
  change: (id: string, fields: Fields) => T;
  /** `assigned`: what follows `SET`, with a `?` for each value. */
  set: (id: string, assigned: string, ...values: Value[]) => void;
  /** A column that is not part of the record, stored as JSON; null: empty, or no such record. */
  kept: <V>(id: string, column: string) => V | null;
  keep: (id: string, column: string, value: unknown) => void;
}

interface Table<Row, T> {
  name: string;
  clock: Clock;
  /** Makes a record of a row. */
  read: (row: Row) => T;
  /** Fields that are kept as JSON. */
  json?: ReadonlySet<string>;
}

export function recordsOf<Row, T>(database: Database, table: Table<Row, T>): Records<T> {
  const { name, read, json = NONE } = table;
  const select = (clause: string, ...values: Value[]): T[] =>
    database
      .prepare<Value[], Row>(`SELECT * FROM ${name} ${clause}`)
      .all(...values)
      .map(read);
  const get = (id: string): T | null => select('WHERE id = ?', id)[0] ?? null;
  const set: Records<T>['set'] = (id, assigned, ...values) =>
    void database.prepare(`UPDATE ${name} SET ${assigned} WHERE id = ?`).run(...values, id);
  return {
    ...{ select, get, set },
    add: (fields) => get(addTo(database, table, fields)) as T,
    change: (id, fields) => {
      const { clause, values } = assignments(fields, json);
      if (clause !== '') database.prepare(`UPDATE ${name} SET ${clause} WHERE id = @id`).run({ ...values, id });
      return get(id) as T;
    },
    kept: (id, column) => {
      const sql = `SELECT ${column} AS text FROM ${name} WHERE id = ?`;
      return fromJson(database.prepare<[string], { text: string | null }>(sql).get(id)?.text ?? null);
    },
    keep: (id, column, value) => set(id, `${column} = ?`, toJson(value)),
  };
}

const NONE: ReadonlySet<string> = new Set();

function addTo<Row, T>(database: Database, { name, clock, json = NONE }: Table<Row, T>, fields: Fields): string {
  const now = clock.now();
  const id = newId(now);
  const { clause, values } = insertion({ id, createdAt: now.toISOString(), ...fields }, json);
  database.prepare(`INSERT INTO ${name} ${clause}`).run(values);
  return id;
}
