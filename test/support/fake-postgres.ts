import { createHash, randomBytes } from 'node:crypto';
import { identifier } from '../../src/lib/sql-quoting';
import type { CommandCall, ImageSpec, Outcome } from './fake-engine-types';

/** Content of each database by name, as `pg_dump` gives it. What a restore does to the server is done to this. */
export type Databases = Record<string, Buffer>;

/**
 * A PostgreSQL server for the fake engine: its tools behave as the real ones do towards a backup, a restore and a drill.
 * `databases` are those of the first data folder that is asked; a server with another one begins empty.
 */
export function fakePostgres(
  databases: Databases = { app: aDump('app'), postgres: aDump('postgres') },
  servers = new Map<string, Databases>(),
): ImageSpec {
  const whole = new Set<string>();
  const isWhole = (dump: Buffer): boolean => whole.has(dump.toString('latin1'));
  const of = ({ container: { Mounts } }: CommandCall): Databases => {
    const folder = Mounts.find(({ Destination }) => Destination === DATA)?.Name ?? IN_THE_CONTAINER;
    if (!servers.has(folder)) servers.set(folder, servers.size === 0 ? databases : { postgres: Buffer.alloc(0) });
    return servers.get(folder) as Databases;
  };
  return {
    config: { Env: ['PG_MAJOR=15'], Volumes: { [DATA]: {} } },
    scripts: {
      'psql *': (call) => psql(of(call), call),
      'pg_isready *': {},
      'pg_dumpall *': { stdout: `CREATE ROLE app;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n` },
      'pg_dump *': (call) => {
        const name = nameIn(call.command);
        const dump = of(call)[name];
        if (dump === undefined) return refused(`pg_dump: error: database "${name}" does not exist`);
        whole.add(dump.toString('latin1'));
        return { stdout: dump };
      },
      'pg_restore -f /dev/null': ({ stdin }) => (isWhole(stdin) ? {} : refused(CUT)),
      'pg_restore -w *': (call) => {
        const name = nameIn(call.command);
        if (!isWhole(call.stdin)) return refused(CUT);
        if (of(call)[name] === undefined) return refused(`pg_restore: error: database "${name}" does not exist`);
        of(call)[name] = call.stdin;
        return {};
      },
    },
  };
}

/** The data folder of a server without a volume for it: in `servers`, which has each by its volume. */
export const IN_THE_CONTAINER = 'in the container';
const DATA = '/var/lib/postgresql/data';
const CUT = 'pg_restore: error: could not read from input file: end of file';

/** What a drill counts in any of its databases. */
const COUNTED = '3|120';

const PROPERTIES = {
  ...{ owner: 'app', encoding: 'UTF8', collate: 'C.UTF-8', ctype: 'C.UTF-8', provider: 'c', locale: null, rules: null },
  ...{ connectionLimit: -1, settings: null, grants: null },
};

const LISTS: [RegExp, (databases: Databases) => string[]][] = [
  [/^SELECT datname FROM pg_database/, (databases) => Object.keys(databases)],
  [/^SELECT pg_catalog\.pg_get_userbyid\(nspowner\)/, () => ['pg_database_owner']],
  [/^SELECT rolname FROM pg_roles WHERE rolname = current_user AND rolsuper/, () => ['postgres']],
  [/^SELECT rolname FROM pg_roles/, () => ['postgres']],
  [/^SELECT spcname FROM pg_tablespace/, () => ['pg_default', 'pg_global']],
  [/^SELECT 1$/, () => ['1']],
  [/^SHOW server_version_num/, () => ['150000']],
  [/^SELECT pg_terminate_backend/, () => []],
];

/** What the catalog and the migration table of a database say. */
export interface FakeSchema {
  /** The one row of its table `schema_version`. */
  version: string;
  tables: string[];
}

/** Large enough to come in several pieces. Without a schema its catalog is empty. */
export function aDump(name: string, schema?: FakeSchema, rows = randomBytes(200_000)): Buffer {
  // A line of its own in any case: the random bytes may look like the start of a schema.
  const described = `\n${schema === undefined ? '' : JSON.stringify(schema)}\n`;
  return Buffer.concat([Buffer.from(`PGDMP ${name}${described}`), rows]);
}

export function schemaOf(dump: Buffer): FakeSchema | null {
  const line = dump.subarray(0, 2000).toString('latin1').split('\n')[1];
  return line?.startsWith('{') === true ? (JSON.parse(line) as FakeSchema) : null;
}

/** As `updates/fingerprint` asks, and only of a session that cannot write. */
function fingerprinted(databases: Databases, { command, env }: CommandCall, statement: string): Outcome {
  const options = env.find((line) => line.startsWith('PGOPTIONS=')) ?? '';
  if (!options.includes('default_transaction_read_only=on')) return refused('ERROR:  this session may write');
  const dump = databases[nameIn(command)];
  if (dump === undefined) return refused(`FATAL:  database "${nameIn(command)}" does not exist`);
  const schema = schemaOf(dump);
  if (statement.startsWith('SELECT json_build_array(')) {
    const { version = '' } = schema ?? {};
    return {
      stdout: `${JSON.stringify([{ title: 'schema_version', rows: 1, last: version, hash: hashOf(version) }])}\n`,
    };
  }
  if (schema === null) return { stdout: '{"kinds": null, "versioned": null}\n' };
  const names = Object.fromEntries(schema.tables.map((name) => [name, hashOf(name).slice(0, 8)]));
  const table = { count: schema.tables.length, hash: hashOf(schema.tables.toSorted().join()), names };
  const versioned = [
    { schema: 'public', table: 'schema_version', title: 'schema_version', value: 'version', rank: null },
  ];
  return { stdout: `${JSON.stringify({ kinds: { table }, versioned })}\n` };
}

const hashOf = (text: string): string => createHash('md5').update(text).digest('hex');

function psql(databases: Databases, call: CommandCall): Outcome {
  const { command, stdin } = call;
  if (stdin.includes('diun_pilot_counted')) return { stdout: `${COUNTED}\n` };
  const statements = command.filter((_, i) => command[i - 1] === '-c');
  const [first = ''] = statements;
  if (/^(WITH\n {2}own AS|SELECT json_build_array\()/.test(first)) return fingerprinted(databases, call, first);
  const together = command.includes('--single-transaction');
  const before = { ...databases };
  let stdout = '';
  for (const statement of statements) {
    const answer = answerTo(databases, statement, together);
    if (answer.exitCode !== undefined) {
      if (together) replace(databases, before);
      return answer;
    }
    stdout += answer.stdout?.toString() ?? '';
  }
  return { stdout };
}

function answerTo(databases: Databases, statement: string, together: boolean): Outcome {
  if (statement.startsWith('SELECT json_build_object')) return { stdout: `${JSON.stringify(PROPERTIES)}\n` };
  const list = LISTS.find(([query]) => query.test(statement))?.[1](databases);
  if (list !== undefined) return { stdout: list.map((value) => `${value}\0`).join('') };
  if (together && /^(CREATE|DROP) DATABASE/.test(statement)) {
    return refused(`ERROR:  ${statement.split(' ', 2).join(' ')} cannot run inside a transaction block`);
  }
  return change(databases, statement);
}

const NAME = String.raw`"((?:[^"]|"")*)"`;
const CREATE = new RegExp(`^CREATE DATABASE ${NAME}`);
const DROP = new RegExp(`^DROP DATABASE IF EXISTS ${NAME}$`);
const RENAME = new RegExp(`^ALTER DATABASE ${NAME} RENAME TO ${NAME}$`);

function change(databases: Databases, statement: string): Outcome {
  const [kind, found] =
    [CREATE, DROP, RENAME].map((one) => [one, one.exec(statement)] as const).find(([, m]) => m) ?? [];
  const [name = '', to = ''] = found?.slice(1).map((quoted) => quoted.replaceAll('""', '"')) ?? [];
  if (kind === undefined) return refused(`ERROR:  syntax error at or near "${statement.slice(0, 40)}"`);
  const taken = kind === RENAME ? to : name;
  if (kind !== DROP && databases[taken] !== undefined) {
    return refused(`ERROR:  database ${identifier(taken)} already exists`);
  }
  if (kind === RENAME && databases[name] === undefined) {
    return refused(`ERROR:  database ${identifier(name)} does not exist`);
  }
  if (kind !== DROP) databases[taken] = databases[name] ?? Buffer.alloc(0);
  if (kind !== CREATE) delete databases[name];
  return {};
}

function replace(databases: Databases, by: Databases): void {
  for (const name of Object.keys(databases)) delete databases[name];
  Object.assign(databases, by);
}

function nameIn(command: string[]): string {
  const conninfo = command.find((word) => word.startsWith('dbname=')) ?? '';
  return /^dbname='(.*)'$/s.exec(conninfo)?.[1]?.replace(/\\(.)/gs, '$1') ?? '';
}

function refused(stderr: string): Outcome {
  return { exitCode: 1, stderr };
}
