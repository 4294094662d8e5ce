import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/adapters/sqlite/database';
import { createSqliteStore, storeIn } from '../../src/adapters/sqlite/store';
import type { Clock } from '../../src/lib/clock';
import type { Store } from '../../src/ports/store';

/** What outlives a process of a scene: a folder, and the database. */
export interface Disk {
  folder: string;
  /** The store of the next process on this disk. */
  open(): Store;
  remove(): void;
}

/** A crash of the process loses nothing that was written, so a disk that must not wait for platters will do. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What is left of a process that died may write a last file meanwhile. */
const REMOVED = { recursive: true, force: true, maxRetries: 10 };

let migrated: Buffer | undefined;

/** Writes a database with today's schema. The migrations, which take longer than many tests, run once per test file. */
function writeMigrated(path: string): void {
  if (migrated === undefined) {
    const database = openDatabase(':memory:');
    migrated = database.serialize();
    database.close();
  }
  writeFileSync(path, migrated, { mode: 0o600, flag: 'wx' });
}

/** Every process opens the file again. Stores of dead processes stay open: their streams may still report progress. */
export function fileDisk(clock: Clock): Disk {
  const folder = mkdtempSync(join(MEMORY, 'scene-'));
  const path = join(folder, 'pilot.db');
  const opened: Store[] = [];
  writeMigrated(path);
  return {
    folder,
    open: () => {
      const store = createSqliteStore({ path, clock });
      opened.push(store);
      return store;
    },
    remove: () => {
      for (const store of opened) store.close();
      rmSync(folder, REMOVED);
    },
  };
}

const idle: Database[] = [];

/**
 * For thousands of scenes in one process: a database in memory, with its compiled statements, is used again after the scene.
 * A scene is one transaction, rolled back at its end; the transactions of the store are savepoints in it. A process can only
 * die while it waits, and no transaction of a store waits, so nothing half written is left here, as on a file.
 */
export function reusedDisk(clock: Clock): Disk {
  const folder = mkdtempSync(join(MEMORY, 'scene-'));
  const database = idle.pop() ?? openDatabase(':memory:');
  const open = openUntilRemoved(database);
  database.exec('BEGIN');
  return {
    folder,
    open: () => storeIn(open.database, clock),
    remove: () => {
      open.end();
      database.exec('ROLLBACK');
      idle.push(database);
      rmSync(folder, REMOVED);
    },
  };
}

/** The database of one scene: what is left of its processes cannot write into the next one. */
function openUntilRemoved(database: Database): { database: Database; end(): void } {
  let isOpen = true;
  const own = Object.create(database) as Database;
  own.prepare = (sql: string) => {
    if (!isOpen) throw new TypeError('The database connection is not open');
    return database.prepare(sql);
  };
  return { database: own, end: () => void (isOpen = false) };
}
