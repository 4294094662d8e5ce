import {
  explainLoad,
  loadDump,
  PUBLIC_BEFORE_15,
  publicAsDumped,
  publicAsOwned,
  relaxationFor,
} from '../../../../src/restores/databases/load-dump';
import type { Psql } from '../../../../src/restores/databases/psql';

const LOCKS =
  'pg_restore: error: ERROR:  out of shared memory\nHINT:  You might need to increase max_locks_per_transaction.';
const NAMES = 'pg_restore: error: could not execute query: ERROR:  function cube(double precision) does not exist';
const CRON = 'pg_restore: error: ERROR:  can only create extension in database postgres';

async function load(...failures: string[]) {
  const tries: string[] = [];
  const result = await loadDump({
    prepare: (relaxed) => Promise.resolve(void tries.push(`fresh ${relaxed.join('+')}`)),
    load: (flags) => {
      tries.push(flags.join(' '));
      const stderr = failures.shift() ?? '';
      return Promise.resolve({ exitCode: stderr === '' ? 0 : 1, stdout: '', stderr });
    },
  });
  return { tries, result };
}

test('a dump is loaded strictly, once', async () => {
  const { tries, result } = await load();
  expect(tries).toEqual(['fresh ', '--exit-on-error --single-transaction']);
  expect(result).toMatchObject({ exitCode: 0, relaxed: null });
});

test('each error relaxes what it requires, in a fresh database, and keeps --exit-on-error', async () => {
  const { tries, result } = await load(NAMES, LOCKS);
  expect(tries).toEqual([
    'fresh ',
    '--exit-on-error --single-transaction',
    'fresh search_path',
    '--exit-on-error --single-transaction',
    'fresh search_path+transactions',
    '--exit-on-error',
  ]);
  expect(result).toMatchObject({ exitCode: 0, relaxed: expect.stringContaining('several transactions') });
});

test('an extension that can exist in only one database is loaded under its own name', async () => {
  const { tries, result } = await load(CRON);
  expect(tries.at(-2)).toBe('fresh own_name');
  expect(result).toMatchObject({ exitCode: 0, relaxed: expect.stringContaining('under its own name') });
  expect((await load(CRON, CRON)).result).toMatchObject({ exitCode: 1, stderr: CRON });
});

test('the same error again, or one that no relaxation helps, is the end', async () => {
  expect((await load(LOCKS, LOCKS)).result).toMatchObject({ exitCode: 1, stderr: LOCKS });
  expect((await load('disk full')).tries).toHaveLength(2);
});

test('the failure names the fix and keeps the words of pg_restore', () => {
  expect(relaxationFor('disk full')).toBeNull();
  expect(explainLoad(CRON)).toMatch(/only one database.*can only create extension in database postgres/);
  expect(explainLoad(NAMES)).toMatch(/search_path.*function cube\(double precision\) does not exist/);
  expect(explainLoad('disk full\n')).toBe('disk full');
});

// The statement itself runs on a real server: e2e/postgres-major.

test.each([
  [13, true],
  [14, true],
  [15, false],
  [17, false],
  [null, false],
])('a dump of %s gets schema public as before 15: %s', async (dumped, expected) => {
  const scripts: [string, string | undefined][] = [];
  const script = (sql: string, database?: string) => Promise.resolve(void scripts.push([sql, database]));
  await publicAsDumped({ script } as unknown as Psql, 'shop', dumped);
  expect(scripts).toEqual(expected ? [[PUBLIC_BEFORE_15, 'shop']] : []);
});

test.each<[string, string | null | undefined, RegExp | null]>([
  ['an owner', `o'ne`, /ALTER SCHEMA public OWNER TO %I', 'o''ne'/],
  ['none, since it was dropped', null, /DROP SCHEMA IF EXISTS public RESTRICT/],
  ['what is not known, as of an older backup', undefined, null],
])('after the load, schema public has %s', async (_, ownerOfPublic, expected) => {
  const scripts: [string, string | undefined][] = [];
  const script = (sql: string, database?: string) => Promise.resolve(void scripts.push([sql, database]));
  await publicAsOwned({ script } as unknown as Psql, 'shop', { ownerOfPublic });
  expect(scripts).toEqual(expected === null ? [] : [[expect.stringMatching(expected), 'shop']]);
});
