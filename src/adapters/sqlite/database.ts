import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { PilotError } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import { newId } from '../../lib/id';

export type Database = Sqlite.Database;
type Statement<P extends unknown[] | object, Row> = ReturnType<typeof Sqlite.prototype.prepare<P, Row>>;

/** The database as all code of this folder uses it. */
class PilotDatabase extends Sqlite {
  private readonly statements = new Map<string, unknown>();

  /** Each statement is compiled once: the same text gives the same statement again. */
  override prepare<P extends unknown[] | object = unknown[], Row = unknown>(sql: string): Statement<P, Row> {
    const statement = this.statements.get(sql) ?? super.prepare(sql);
    this.statements.set(sql, statement);
    return statement as Statement<P, Row>;
  }

  /**
   * A transaction takes the right to write when it begins, and waits for it. One that reads first and then writes is refused without a
   * wait while another process writes, such as the command line next to the service.
   */
  override transaction<F extends (...given: never[]) => unknown>(work: F): Sqlite.Transaction<F> {
    return (super.transaction(work) as unknown as { immediate: Sqlite.Transaction<F> }).immediate;
  }
}

/**
 * Opens the database and brings its schema up to date. WAL with `synchronous=FULL`: no acknowledged commit was lost
 * over 60 SIGKILLs (measured). Throws `database_newer` when the schema is newer than this program.
 */
export function openDatabase(path: string): Database {
  makeForOwner(path);
  const database = new PilotDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  database.pragma('foreign_keys = ON');
  migrate(database, join(__dirname, 'migrations'));
  return database;
}

/** Mails with signed links lie in it: for the owner alone, whatever the folder allows. SQLite gives its other files the same mode. */
function makeForOwner(path: string): void {
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
}

function migrate(database: Database, folder: string): void {
  // In folders of twenty; their order is that of their own numbers.
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^\d{3}-.*\.sql$/.test(basename(path)))
    .sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  database
    .transaction(() => {
      const applied = schemaVersion(database);
      if (applied > files.length) {
        throw new PilotError(
          'database_newer',
          `The database was written by a newer diun-pilot: it has schema ${applied}, and this version supports ${files.length}. Start the newer version again, or put the copy of PILOT_DATA_DIR from before the upgrade in place.`,
        );
      }
      for (const name of files.slice(applied)) database.exec(readFileSync(join(folder, name), 'utf8'));
      database.pragma(`user_version = ${files.length}`);
    })
    .immediate();
}

export function schemaVersion(database: Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}

interface WorkerLock {
  release(): void;
}

/**
 * One worker for a data directory: an exclusive transaction on a file of its own, which the operating system gives up
 * with the process, however it ends. Null: another process holds it.
 */
export function takeWorkerLock(path: string): WorkerLock | null {
  const database = new Sqlite(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') return null;
    throw error;
  }
  return {
    release: () => {
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

/** A piece of SQL, and the values of the named parameters in it. */
interface Clause {
  clause: string;
  values: Record<string, unknown>;
}

/** `fields` in our spelling → what follows `SET`; `json` names those that are kept as JSON. Undefined ones are left out. */
export function assignments(fields: Record<string, unknown>, json: ReadonlySet<string>): Clause {
  const values = columnValues(fields, json);
  const clause = Object.keys(values)
    .map((name) => `${snakeCase(name)} = @${name}`)
    .join(', ');
  return { clause, values };
}

/** The same → what follows `INSERT INTO table`. */
export function insertion(fields: Record<string, unknown>, json: ReadonlySet<string>): Clause {
  const values = columnValues(fields, json);
  const names = Object.keys(values);
  const parameters = names.map((name) => `@${name}`);
  return { clause: `(${names.map(snakeCase).join(', ')}) VALUES (${parameters.join(', ')})`, values };
}

function columnValues(fields: Record<string, unknown>, json: ReadonlySet<string>): Record<string, unknown> {
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

type Value = string | number | null;
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
