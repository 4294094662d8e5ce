import { spawnSync } from 'node:child_process';
import { explainLock } from '../../../../src/backups/sources/postgres-source';

const explained = (words: string): string | null => explainLock(words, 'app', 'shop', { name: 'db-1' });

test.each([
  // PostgreSQL 15, and 16 on, which locks many tables by one statement (test/field/backups-that-would-wait-for-ever.test.ts).
  'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.orders IN ACCESS SHARE MODE',
  'pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout\npg_dump: detail: Query was: LOCK TABLE a.b, c.d IN ACC…',
])('a dump that waited for a lock says who may hold it: %s', (words) => {
  expect(explained(words)).toMatch(
    /^Another session has locked a table of database shop: .*docker exec db-1 psql -U app -d shop/,
  );
});

test('other failures have another cause', () => {
  expect(explained('pg_dump: error: connection to server failed: timeout expired')).toBeNull();
});

test('a name that a role of the database chose is no command on the host', () => {
  const words = 'ERROR:  canceling statement due to statement timeout: LOCK TABLE a';
  const said = explainLock(words, 'app', '$(reboot)', { name: 'db-1' }) ?? '';
  const command = /docker exec .*? -c "/.exec(said)?.[0].slice(0, -4) ?? '';
  const run = spawnSync('sh', ['-c', command.replace('docker exec db-1 psql', 'printf "%s\\n"')], { encoding: 'utf8' });
  expect(run.stdout.split('\n')).toEqual(['-U', 'app', '-d', "dbname='$(reboot)'", '']);
});
