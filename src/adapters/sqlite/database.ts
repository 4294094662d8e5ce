import Sqlite from 'better-sqlite3';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PilotError } from '../../domain/errors';

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

export interface WorkerLock {
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
