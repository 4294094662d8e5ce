import { missingRoles } from '../../../../src/restores/databases/role-statement';
import { splitSql } from '../../../../src/restores/databases/sql-tokens';

const SCRIPT = `--
-- PostgreSQL database cluster dump
--
\\restrict abcDEF0123
SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

CREATE ROLE app;
ALTER ROLE app WITH SUPERUSER INHERIT LOGIN PASSWORD 'SCRAM-SHA-256$4096:own;secret';
CREATE ROLE "Clerk; of ""x""";
ALTER ROLE "Clerk; of ""x""" WITH NOLOGIN PASSWORD 'it''s; -- no comment';
COMMENT ON ROLE "Clerk; of ""x""" IS E'two\\nlines; \\'quoted\\'';
ALTER ROLE clerk2 SET search_path TO 'a', 'b';
CREATE ROLE clerk2;
GRANT app TO clerk2 WITH INHERIT TRUE GRANTED BY app;
GRANT clerk2 TO app;
CREATE TABLESPACE fast OWNER app LOCATION '/fast';
\\unrestrict abcDEF0123
-- PostgreSQL database cluster dump complete
`;

test('a script falls apart into its statements, whatever stands in strings and names', () => {
  const statements = splitSql(SCRIPT);
  expect(statements).toHaveLength(12);
  expect(statements).toContain(`ALTER ROLE "Clerk; of ""x""" WITH NOLOGIN PASSWORD 'it''s; -- no comment'`);
  expect(statements.some((one) => /restrict|cluster dump/.test(one))).toBe(false);
});

test('only what concerns a role that is missing is run: those that are there stay as they are', () => {
  const { roles, statements, tablespaces } = missingRoles(SCRIPT, new Set(['app']));
  expect(roles).toEqual(['Clerk; of "x"', 'clerk2']);
  expect(statements).toEqual([
    'CREATE ROLE "Clerk; of ""x"""',
    `ALTER ROLE "Clerk; of ""x""" WITH NOLOGIN PASSWORD 'it''s; -- no comment'`,
    `COMMENT ON ROLE "Clerk; of ""x""" IS 'two\nlines; ''quoted'''`,
    `ALTER ROLE "clerk2" SET "search_path" TO 'a', 'b'`,
    'CREATE ROLE "clerk2"',
    'GRANT "app" TO "clerk2" WITH INHERIT TRUE',
  ]);
  expect(tablespaces).toEqual(['fast']);
});

test('nothing is run where all are there', () => {
  const there = new Set(['app', 'clerk2', 'Clerk; of "x"']);
  expect(missingRoles(SCRIPT, there)).toMatchObject({ roles: [], statements: [] });
});

test.each([
  [
    'GRANT set TO b WITH ADMIN OPTION, INHERIT FALSE GRANTED BY "x y"',
    'GRANT "set" TO "b" WITH ADMIN OPTION, INHERIT FALSE',
  ],
  [
    'GRANT SET,ALTER SYSTEM ON PARAMETER work_mem TO b WITH GRANT OPTION',
    'GRANT SET, ALTER SYSTEM ON PARAMETER "work_mem" TO "b" WITH GRANT OPTION',
  ],
  [
    `ALTER ROLE b WITH CONNECTION LIMIT 3 VALID UNTIL 'infinity'`,
    `ALTER ROLE "b" WITH CONNECTION LIMIT 3 VALID UNTIL 'infinity'`,
  ],
  [`SECURITY LABEL FOR selinux ON ROLE b IS 'x;y'`, `SECURITY LABEL FOR "selinux" ON ROLE "b" IS 'x;y'`],
  [`ALTER ROLE b SET "my.note" TO E'a\\\\b'`, `ALTER ROLE "b" SET "my.note" TO E'a\\\\b'`],
  ['ALTER ROLE b SET search_path TO "$user", public', `ALTER ROLE "b" SET "search_path" TO '$user', 'public'`],
])('each statement of pg_dumpall is written again from fixed words: %s', (statement, sql) => {
  expect(missingRoles(`CREATE ROLE b;\n${statement};\n`, new Set()).statements).toEqual(['CREATE ROLE "b"', sql]);
});

test.each([
  'DROP ROLE postgres',
  'ALTER ROLE b SET search_path TO public;ALTER/**/ROLE/**/evil/**/SUPERUSER',
  'ALTER ROLE b WITH LOGIN; COPY x FROM PROGRAM $$id$$',
  'ALTER ROLE b WITH LOGIN SUPERUSER x',
  'CREATE ROLE b SUPERUSER',
  `COMMENT ON ROLE b IS 'x' || (SELECT 1)`,
  `ALTER ROLE b SET x TO E'\\047'`,
  'GRANT b TO c, d',
  'GRANT ALL ON DATABASE x TO b',
])('a statement that pg_dumpall does not write is refused, with all others: %s', (statement) => {
  expect(() => missingRoles(`CREATE ROLE b;\n${statement};\n`, new Set())).toThrow(
    expect.objectContaining({ code: 'restore_refused' }),
  );
});

test.each([
  ['plain text', 'x'.repeat(16_000_000)],
  ['doubled quotes', "''".repeat(8_000_000)],
])('a setting of 16 MB that a role gave itself is read: %s', (_, value) => {
  const script = `CREATE ROLE app;\nALTER ROLE app WITH LOGIN;\nALTER ROLE app SET application_name TO '${value}';\n`;
  expect(splitSql(script)).toHaveLength(3);
  const { statements } = missingRoles(script, new Set());
  expect(statements.join('').length).toBeGreaterThan(16_000_000 - 100);
});
