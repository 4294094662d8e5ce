import { PUBLIC_BEFORE_15, publicAsDumped } from '../../../../src/restores/databases/public-schema';
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
