import { assignments } from './columns';
import type { Database } from './database';

type Value = string | number | null;

/** A table of records with an id, in our spelling. */
export interface Records<T> {
  /** `clause`: what follows `SELECT * FROM table`. */
  select: (clause: string, ...values: Value[]) => T[];
  get: (id: string) => T | null;
  /** Sets what is given, leaves the rest; answers the record as it is then. */
  change: (id: string, fields: Record<string, unknown>) => T;
}

/** `read` makes a record of a row; `json` names the fields that are kept as JSON. */
export function recordsOf<Row, T>(
  database: Database,
  table: string,
  { read, json = new Set() }: { read: (row: Row) => T; json?: ReadonlySet<string> },
): Records<T> {
  const select = (clause: string, ...values: Value[]): T[] =>
    database
      .prepare<Value[], Row>(`SELECT * FROM ${table} ${clause}`)
      .all(...values)
      .map(read);
  const get = (id: string): T | null => select('WHERE id = ?', id)[0] ?? null;
  return {
    select,
    get,
    change: (id, fields) => {
      const { clause, values } = assignments(fields, json);
      if (clause !== '') database.prepare(`UPDATE ${table} SET ${clause} WHERE id = @id`).run({ ...values, id });
      return get(id) as T;
    },
  };
}
