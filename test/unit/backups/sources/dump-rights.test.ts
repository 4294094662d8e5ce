import { explainRights, refuseHidden } from '../../../../src/backups/sources/dump-rights';

test.each([
  [
    'permission denied for table pg_authid',
    /the passwords of the roles.*at least: GRANT SELECT ON pg_catalog\.pg_authid/,
  ],
  [
    'permission denied for table secret',
    /may not read table secret, so a restore would be incomplete\..*at least: GRANT pg_read_all_data TO "app"/,
  ],
  ['FATAL:  permission denied for database "a""b"', /database a.*at least: GRANT CONNECT ON DATABASE/],
  ['query would be affected by row-level security policy for table "rls"', /ALTER ROLE "app" BYPASSRLS/],
  [
    'permission denied for large object 4711',
    /may not read everything, so a restore.*run: ALTER ROLE "app" SUPERUSER\.$/,
  ],
])('says what a user may not read and who can change that: %s', (words, told) => {
  const said = explainRights(`pg_dump: error: query failed: ERROR:  ${words}\npg_dump: detail: …`, 'app', 'db-1');
  expect(said).toMatch(/^User app \(POSTGRES_USER of db-1\) is not a superuser/);
  expect(said).toMatch(told);
});

test('other failures have another cause', () => {
  expect(explainRights('server closed the connection unexpectedly', 'app', 'db-1')).toBeNull();
});

test('what pg_dump leaves out with a warning alone is refused by name', () => {
  expect(() => refuseHidden([], 'app', 'app', 'db-1')).not.toThrow();
  expect(() => refuseHidden(['subscription sub'], 'app', 'app', 'db-1')).toThrow(/leaves out subscription sub\./);
});
