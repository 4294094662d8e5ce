import Sqlite from 'better-sqlite3';
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
