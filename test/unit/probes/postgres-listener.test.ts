import { connectionOf, isOfEntrypoint, parsePostmasterPid } from '../../../src/probes/postgres-probe';

function pidFile(port: string, socket: string, address: string): string {
  return ['1', '/var/lib/postgresql/data', '1764333000', port, socket, address, '  1234 0', 'ready   ', ''].join('\n');
}

test.each([
  ['5433', '/var/run/postgresql', '*', ['PGPORT=5433', 'PGHOST=/var/run/postgresql'], '127.0.0.1'],
  ['5432', '/var/run/postgresql', '', ['PGPORT=5432', 'PGHOST=/var/run/postgresql'], null],
  ['5432', '', '10.0.0.7', ['PGPORT=5432', 'PGHOST=10.0.0.7'], '10.0.0.7'],
  ['5432', '/tmp', '::', ['PGPORT=5432', 'PGHOST=/tmp'], '::1'],
])('a server on port %s with socket "%s" and address "%s" is found', (port, socket, address, env, reached) => {
  const listener = parsePostmasterPid(pidFile(port, socket, address));
  expect(connectionOf(listener)).toEqual(env);
  expect(listener?.address).toBe(reached);
});

test.each(['', '1\n/data\n', 'x\n/data\n1\n5432\n', '-7\n/data\n1\n5432\n/tmp\n\n'])(
  'a file that is not of a server that accepts connections is not used: %j',
  (content) => {
    expect(parsePostmasterPid(content)).toBeNull();
    expect(connectionOf(null)).toEqual([]);
  },
);

test('the server of the first start is known by the options that the entrypoint gives it', () => {
  const binary = '/usr/lib/postgresql/15/bin/postgres';
  const data = '"-D" "/var/lib/postgresql/data"';
  expect(isOfEntrypoint(`${binary} ${data} "-c" "listen_addresses=" "-p" "5432"\n`)).toBe(true);
  expect(isOfEntrypoint(`${binary} "-c" "listen_addresses=" "-p" "5432"\n`)).toBe(false);
  expect(isOfEntrypoint(`${binary} ${data} "-p" "5433"\n`)).toBe(false);
});
