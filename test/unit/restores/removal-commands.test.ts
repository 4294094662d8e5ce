import { spawnSync } from 'node:child_process';
import { dropDatabaseCommand, removeFolderCommand } from '../../../src/restores/removal-commands';

const login = { user: 'app', listener: null, asksPassword: false };

/** The words that each program gets, when the command is run by a shell. In its container `docker exec` runs what is given. */
function wordsOf(command: string, env: Record<string, string> = {}): string[] {
  const docker = `docker() { while [ "$1" != db ]; do printf '%s\\0' "$1"; shift; done; shift; "$@"; }`;
  const dropdb = `dropdb() { printf '%s\\0' dropdb "$@" "$PGPASSWORD"; }`;
  const inContainer = command.replace('exec "$@"', '"$@"').replace('sh -c ', 'inner -c ');
  const inner = 'inner() { script=$2; shift 3; eval "$script"; }';
  const script = `${docker}; ${dropdb}; ${inner}; PGPASSWORD=; ${inContainer}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout.split('\0').slice(0, -1);
}

test('the command for a database of a server with its defaults', () => {
  const command = dropDatabaseCommand({ name: 'db' }, login, 'app.diun-pilot-before-0123456789-01');
  expect(command).toBe("docker exec db dropdb -U app -- 'app.diun-pilot-before-0123456789-01'");
});

test('a server that is configured otherwise is found', () => {
  const at = (socket: string | null, address: string | null) =>
    dropDatabaseCommand(
      { name: 'db' },
      { ...login, listener: { port: '5433', socket, address, initialising: false } },
      'app',
    );
  expect(at('/tmp', null)).toBe("docker exec -e PGPORT=5433 -e PGHOST=/tmp db dropdb -U app -- 'app'");
  expect(at(null, '::1')).toBe("docker exec -e PGPORT=5433 -e PGHOST=::1 db dropdb -U app -- 'app'");
});

test.each(['my user', "o'brien", '$USER', '-x', 'app'])(
  'a user and a database of any name stay one word each: %s',
  (name) => {
    const words = ['dropdb', '-U', name, '--', name, ''];
    expect(wordsOf(dropDatabaseCommand({ name: 'db' }, { ...login, user: name }, name))).toEqual(['exec', ...words]);
  },
);

test('a server that asks for the password gets it from the variables of its container, which the command does not name', () => {
  const command = dropDatabaseCommand({ name: 'db' }, { ...login, asksPassword: true }, 'app');
  const words = ['exec', 'dropdb', '-U', 'app', '--', 'app'];
  expect(wordsOf(command, { POSTGRES_PASSWORD: 's e' })).toEqual([...words, 's e']);
  expect(wordsOf(command, { POSTGRES_PASSWORD_FILE: __filename }).at(-1)).toContain('import { spawnSync }');
});

test('a folder is removed by its container, or with the image of another', () => {
  expect(removeFolderCommand({ name: 'app' }, "/data/it's", null)).toBe("docker exec -u 0 app rm -rf '/data/it'\\''s'");
  expect(removeFolderCommand({ name: 'app' }, '/data/x', 'postgres:15')).toBe(
    "docker run --rm -u 0 --volumes-from app --entrypoint rm postgres:15 -rf '/data/x'",
  );
});
