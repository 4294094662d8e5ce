import {
  applyProperties,
  createDatabase,
  dropDatabase,
  endConnections,
  swapStatements,
  undoStatements,
} from '../../../../src/restores/databases/postgres-sql';
import type { DatabasePrivilege, DatabaseProperties } from '../../../../src/domain/backups/backup';

const properties: DatabaseProperties = {
  ...{ owner: 'shop', encoding: 'UTF8', collate: 'de_DE.utf8', ctype: 'C', provider: 'c', locale: null, rules: null },
  ...{ connectionLimit: -1, settings: null, grants: null },
};

const AWKWARD = `it's "a\\b`;

test('quotes every name and value', () => {
  expect(dropDatabase(AWKWARD)).toBe(`DROP DATABASE IF EXISTS "it's ""a\\b"`);
  expect(endConnections(AWKWARD)).toContain(`datname =  E'it''s "a\\\\b'`);
});

test('creates a database as it was: owner, encoding and locale, whoever provides it', () => {
  expect(createDatabase('app', properties)).toBe(
    `CREATE DATABASE "app" WITH TEMPLATE template0 OWNER "shop" ENCODING 'UTF8' LOCALE_PROVIDER libc LC_COLLATE 'de_DE.utf8' LC_CTYPE 'C' CONNECTION LIMIT -1`,
  );
  expect(createDatabase('app', { ...properties, provider: 'i', locale: 'de' })).toContain(
    `LOCALE_PROVIDER icu ICU_LOCALE 'de'`,
  );
  expect(createDatabase('app', { ...properties, provider: 'b', locale: 'C.UTF-8' })).toContain(
    `builtin BUILTIN_LOCALE 'C.UTF-8'`,
  );
  expect(createDatabase('app', { ...properties, provider: null })).not.toContain('LOCALE_PROVIDER');
  expect(createDatabase('app', null)).toBe('CREATE DATABASE "app" WITH TEMPLATE template0');
});

test('gives it its settings, a list as a list, and its grants', () => {
  const statements = applyProperties('app', {
    ...properties,
    settings: [
      { role: null, config: ['search_path="$user", public', 'work_mem=64MB'] },
      { role: 'clerk', config: ["app.note=it's"] },
    ],
    grants: [
      { grantee: null, privilege: 'TEMPORARY', grantable: false },
      { grantee: 'clerk', privilege: 'CONNECT', grantable: true },
    ],
  });
  expect(statements).toEqual([
    `ALTER DATABASE "app" SET "search_path" TO '$user', 'public'`,
    `ALTER DATABASE "app" SET "work_mem" TO '64MB'`,
    `ALTER ROLE "clerk" IN DATABASE "app" SET "app"."note" TO 'it''s'`,
    'REVOKE ALL ON DATABASE "app" FROM PUBLIC, "shop"',
    'GRANT TEMPORARY ON DATABASE "app" TO PUBLIC',
    'GRANT CONNECT ON DATABASE "app" TO "clerk" WITH GRANT OPTION',
  ]);
  expect(applyProperties('app', properties)).toEqual([]);
});

test.each([
  ['search_path=public;ALTER/**/ROLE/**/evil/**/SUPERUSER', `'public;ALTER/**/ROLE/**/evil/**/SUPERUSER'`],
  ['Search_Path=a, "b""; c" ,d', `'a', 'b"; c', 'd'`],
  ['search_path=', `''`],
  ['search_path=""', `''`],
  ['temp_tablespaces="fast; DROP ROLE x"', `'fast; DROP ROLE x'`],
  ['local_preload_libraries="a; DROP ROLE x', `'"a; DROP ROLE x'`],
  ['local_preload_libraries=a b', `'a b'`],
  ['work_mem=64MB; DROP ROLE x', `'64MB; DROP ROLE x'`],
])('a setting stays a setting, whatever a role has stored in it: %s', (entry, value) => {
  const [statement] = applyProperties('app', { ...properties, settings: [{ role: 'evil', config: [entry] }] });
  const name = entry.split('=')[0];
  expect(statement).toBe(`ALTER ROLE "evil" IN DATABASE "app" SET "${name}" TO ${value}`);
});

test.each(['noequals', '=x'])('a setting without a name is refused: %s', (entry) => {
  const settings = [{ role: null, config: [entry] }];
  expect(() => applyProperties('app', { ...properties, settings })).toThrow(
    expect.objectContaining({ code: 'restore_refused' }),
  );
});

test('a privilege that a database does not have is refused', () => {
  const privilege = 'ALL ON DATABASE x TO PUBLIC; DROP ROLE y; GRANT ALL' as DatabasePrivilege;
  const grants = [{ grantee: null, privilege, grantable: false }];
  expect(() => applyProperties('app', { ...properties, grants })).toThrow(
    expect.objectContaining({ code: 'restore_refused' }),
  );
});

describe('what is there decides what is still to be done', () => {
  const names = [{ name: 'app', fresh: 'new', before: 'old' }];
  const swap = (...there: string[]): string[] => swapStatements(names, new Set(there));
  const undo = (...there: string[]): string[] => undoStatements(names, new Set(there));
  const rename = (from: string, to: string): string => `ALTER DATABASE "${from}" RENAME TO "${to}"`;

  test('to swap', () => {
    expect(swap('app', 'new')).toEqual([rename('app', 'old'), rename('new', 'app')]);
    expect(swap('new')).toEqual([rename('new', 'app')]);
    expect(swap('old', 'new')).toEqual([rename('new', 'app')]);
    expect(swap('app', 'old')).toEqual([]);
    expect(swap('app')).toEqual([]);
  });

  test('to go back', () => {
    expect(undo('app', 'old')).toEqual([rename('app', 'new'), rename('old', 'app')]);
    expect(undo('app')).toEqual([rename('app', 'new')]);
    expect(undo('app', 'new')).toEqual([]);
    expect(undo('new')).toEqual([]);
  });
});
