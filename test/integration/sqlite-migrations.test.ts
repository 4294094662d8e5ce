import Sqlite from 'better-sqlite3';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';

// A service is replaced while webhooks wait in its database: what an earlier version wrote is what the next one reads.

const MIGRATIONS = join(__dirname, '../../src/adapters/sqlite/migrations');
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'migrations-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A database as a version with that schema left it. */
function atSchema(version: number): Sqlite.Database {
  const files = readdirSync(MIGRATIONS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql'))
    .sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const database = new Sqlite(join(folder, 'pilot.db'));
  for (const file of files.slice(0, version)) database.exec(readFileSync(join(MIGRATIONS, file), 'utf8'));
  database.pragma(`user_version = ${version}`);
  return database;
}

const recorded = (name: string): string => {
  const file = join(__dirname, '../fixtures/diun', `${name}.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { body: string }).body;
};

test('a webhook that waits at schema 21 has its event afterwards, whatever was rejected next to it', () => {
  const old = atSchema(21);
  const insert = old.prepare(
    'INSERT INTO webhooks (id, received_at, status, image, platform, digest, event, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const at = '2026-11-29T12:00:00.000Z';
  const body = recorded('update-swarm-service');
  const { digest, hub_link: link } = JSON.parse(body) as { digest: string; hub_link: string };
  insert.run('01A', at, 'rejected', null, null, null, null, '{"hub_link": "https://');
  insert.run('01B', at, 'pending', 'docker.io/library/nginx:stable', 'linux/amd64', digest, 'update', body);
  insert.run(
    '01C',
    at,
    'pending',
    'docker.io/library/app:1',
    'linux/amd64',
    digest,
    'new',
    '{"hub_link":"javascript:1"}',
  );
  old.close();
  const store = createSqliteStore({ path: join(folder, 'pilot.db'), clock: systemClock });
  expect(store.inbox.pending(5).map(({ id, event }) => [id, event])).toEqual([
    [
      '01B',
      {
        target: { reference: 'docker.io/library/nginx:stable', digest },
        ...{ status: 'update', platform: 'linux/amd64', releaseNotes: link },
      },
    ],
    [
      '01C',
      {
        target: { reference: 'docker.io/library/app:1', digest },
        ...{ status: 'new', platform: 'linux/amd64', releaseNotes: null },
      },
    ],
  ]);
  expect(store.inbox.recent(5)).toHaveLength(3);
  store.close();
});

test('a database of a newer version is refused with what to do, and is not changed', () => {
  const newer = atSchema(27);
  newer.pragma('user_version = 99');
  const open = () => createSqliteStore({ path: join(folder, 'pilot.db'), clock: systemClock });
  const message = expect.stringMatching(/has schema 99.*Start the newer version again/);
  expect(open).toThrow(expect.objectContaining({ code: 'database_newer', message }));
  expect(newer.pragma('user_version', { simple: true })).toBe(99);
  newer.close();
});
