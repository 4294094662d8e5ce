import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/adapters/sqlite/database';
import { isRefusedByDatabase } from '../../src/domain/errors';

// What a real SQLite throws decides nothing about an update, unless it is a defect of ours.

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refuses-'));
  database = openDatabase(join(folder, 'pilot.db'));
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const write = (): unknown => database.exec('CREATE TABLE more AS SELECT hex(zeroblob(1000000)) AS text');

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

test('a full disk', () => {
  database.pragma('max_page_count = 1');
  expect(isRefusedByDatabase(thrown(write))).toBe(true);
});

test('a database that cannot be written', () => {
  database.pragma('query_only = ON');
  expect(isRefusedByDatabase(thrown(write))).toBe(true);
});

test('another process that writes for too long', () => {
  const other = openDatabase(join(folder, 'pilot.db'));
  database.pragma('busy_timeout = 1');
  other.exec('BEGIN IMMEDIATE');
  expect(isRefusedByDatabase(thrown(write))).toBe(true);
  other.exec('ROLLBACK');
  other.close();
});

test('not a constraint or a statement that does not fit: those are defects', () => {
  database.exec('CREATE TABLE one (id PRIMARY KEY)');
  database.exec('INSERT INTO one VALUES (1)');
  const defects = ['INSERT INTO one VALUES (1)', 'INSERT INTO none VALUES (1)'];
  const seen = defects.map((sql) => isRefusedByDatabase(thrown(() => database.exec(sql))));
  expect(seen).toEqual([false, false]);
});
