import { PUBLIC_BEFORE_15, publicAsDumped, publicAsOwned } from '../../../../src/restores/databases/public-schema';
import type { Psql } from '../../../../src/restores/databases/psql';

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
