import Sqlite from 'better-sqlite3';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import type { Store } from '../../src/ports/store';
import { TestClock } from '../support/test-clock';

let folder: string;
let store: Store;
const path = (): string => join(folder, 'pilot.db');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
  store = createSqliteStore({ path: path(), clock: new TestClock() });
  for (let record = 1; record <= 20; record++) {
    store.audit.append({ kind: 'decision', actor: 'link', subject: `update ${record}`, detail: { record } });
  }
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

/** As somebody with the file, who removes what protects it. */
function tamper(sql: string): void {
  const database = new Sqlite(path());
  database.exec('DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;');
  database.exec(sql);
  database.close();
}

test('records are numbered without a gap, paged newest first, and the chain is whole', () => {
  const first = store.audit.list({ limit: 15 });
  expect(first.entries.map(({ number }) => number)).toEqual(Array.from({ length: 15 }, (_, i) => 20 - i));
  const second = store.audit.list({ limit: 15, cursor: first.next ?? 0 });
  expect([second.entries.length, second.next]).toEqual([5, null]);
  expect(first.entries[0]).toMatchObject({ actor: 'link', subject: 'update 20', detail: { record: 20 } });
  expect(store.audit.verify()).toEqual({ entries: 20, lastHash: first.entries[0]?.hash, broken: null });
});

test('the database itself refuses changes and deletions', () => {
  const database = new Sqlite(path());
  expect(() => database.exec(`UPDATE audit SET actor = 'page' WHERE number = 3`)).toThrow(/append-only/);
  expect(() => database.exec('DELETE FROM audit WHERE number = 3')).toThrow(/append-only/);
  database.close();
});

test.each([
  ['changed', `UPDATE audit SET detail = '{"record":99}' WHERE number = 7`, 7, /record 7 is not as it was written/],
  ['renamed', `UPDATE audit SET actor = 'api' WHERE number = 20`, 20, /record 20 is not as it was written/],
  ['removed', 'DELETE FROM audit WHERE number = 7', 7, /record 7 is missing/],
  ['removed first', 'DELETE FROM audit WHERE number = 1', 1, /record 1 is missing/],
  [
    'closed up',
    'DELETE FROM audit WHERE number = 7; UPDATE audit SET number = number - 1 WHERE number > 7',
    7,
    /record 7 does not follow/,
  ],
])('a record that was %s is found', (_, sql, number, reason) => {
  tamper(sql);
  expect(store.audit.verify()).toMatchObject({ broken: { number, reason: expect.stringMatching(reason) } });
});

test('nor does it replace one, which deletes without saying so', () => {
  const database = new Sqlite(path());
  const again = (number: string) =>
    `INSERT OR REPLACE INTO audit SELECT ${number}, at, kind, 'page', subject, detail, previous, hash FROM audit WHERE number = 3`;
  for (const number of ['3', '20', '-1']) expect(() => database.exec(again(number))).toThrow(/append-only/);
  database.close();
  expect(store.audit.verify()).toMatchObject({ entries: 20, broken: null });
});

describe('a hash that was kept elsewhere', () => {
  const noted = (number: number): string => store.audit.list({ limit: 20 }).entries[20 - number]?.hash ?? '';
  const FOUND = { number: expect.any(Number), reason: expect.stringContaining('no record has the noted hash') };

  test('is in the trail, however long that has become', () => {
    expect(store.audit.verify(noted(20)).broken).toBeNull();
    expect(store.audit.verify(noted(3)).broken).toBeNull();
  });

  test('is not in one whose end was removed, though the rest is whole', () => {
    const last = noted(20);
    tamper('DELETE FROM audit WHERE number > 15');
    expect(store.audit.verify()).toMatchObject({ entries: 15, broken: null });
    expect(store.audit.verify(last)).toMatchObject({ entries: 15, broken: FOUND });
  });

  test('is not in another database in its place', () => {
    const other = createSqliteStore({ path: join(folder, 'other.db'), clock: new TestClock() });
    for (const record of [1, 2])
      other.audit.append({ kind: 'decision', actor: 'page', subject: null, detail: { record } });
    expect(other.audit.verify(noted(20))).toMatchObject({ entries: 2, broken: FOUND });
    other.close();
  });
});

test.each(['{', 'null', '[1]', '"x"'])('a record altered to %s is listed, so that the others can be read', (detail) => {
  tamper(`UPDATE audit SET detail = '${detail}' WHERE number = 7`);
  const { entries } = store.audit.list({ limit: 20 });
  expect([entries.length, entries[13]?.detail]).toEqual([20, { unreadable: detail }]);
});

test('a record waits for another process that writes, such as the command line', async () => {
  const program = `
    const Sqlite = require('better-sqlite3');
    const database = new Sqlite(process.argv[1]);
    database.exec('BEGIN IMMEDIATE');
    process.stdout.write('holds');
    setTimeout(() => database.exec('COMMIT'), 300);`;
  const other = spawn(process.execPath, ['-e', program, path()], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  store.audit.append({ kind: 'recovery_kit', actor: 'cli:0', subject: null, detail: {} });
  expect(store.audit.verify()).toMatchObject({ entries: 21, broken: null });
  if (other.exitCode === null) await once(other, 'exit');
});
