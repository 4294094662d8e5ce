import { DATABASE_PRIVILEGES, type DatabaseProperties } from '../../domain/backups/backup';
import { PilotError } from '../../domain/errors';
import { identifier, literal } from '../../lib/sql-quoting';
import { WITHOUT_EVENT_TRIGGERS } from './load-dump';

/** SQL that a restore runs: pure builders, each name and value quoted. */

export const LIST_DATABASES = 'SELECT datname FROM pg_database';
export const LIST_ROLES = 'SELECT rolname FROM pg_roles';
export const LIST_TABLESPACES = 'SELECT spcname FROM pg_tablespace';

/** Open connections would prevent a database from being renamed or dropped. */
export function endConnections(database: string): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(database)} AND pid <> pg_backend_pid()`;
}

export function dropDatabase(database: string): string {
  return `DROP DATABASE IF EXISTS ${identifier(database)}`;
}

function renameDatabase(from: string, to: string): string {
  return `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;
}

/** Null: the server's own defaults. */
export function createDatabase(database: string, properties: DatabaseProperties | null): string {
  const name = `CREATE DATABASE ${identifier(database)} WITH TEMPLATE template0`;
  if (properties === null) return name;
  const { owner, encoding, collate, ctype, connectionLimit } = properties;
  return [
    name,
    `OWNER ${identifier(owner)}`,
    `ENCODING ${literal(encoding)}`,
    ...localeOf(properties),
    `LC_COLLATE ${literal(collate)}`,
    `LC_CTYPE ${literal(ctype)}`,
    `CONNECTION LIMIT ${connectionLimit}`,
  ].join(' ');
}

function localeOf({ provider, locale, rules }: DatabaseProperties): string[] {
  if (provider === null) return [];
  if (provider === 'c') return ['LOCALE_PROVIDER libc'];
  if (provider === 'b') return ['LOCALE_PROVIDER builtin', `BUILTIN_LOCALE ${literal(locale ?? 'C')}`];
  const icuRules = rules === null ? [] : [`ICU_RULES ${literal(rules)}`];
  return ['LOCALE_PROVIDER icu', `ICU_LOCALE ${literal(locale ?? 'und')}`, ...icuRules];
}

/** Settings, grants and comment, which neither the dump nor `CREATE DATABASE` carries. */
export function applyProperties(database: string, { settings, grants, owner, comment }: DatabaseProperties): string[] {
  return [
    ...(comment === null || comment === undefined
      ? []
      : [`COMMENT ON DATABASE ${identifier(database)} IS ${literal(comment)}`]),
    ...(settings ?? []).flatMap(({ role, config }) => config.map((entry) => setting(database, role, entry))),
    ...(grants === null ? [] : regrant(database, owner, grants)),
  ];
}

function setting(database: string, role: string | null, entry: string): string {
  const at = entry.indexOf('=');
  if (at < 1) {
    throw new PilotError(
      'restore_refused',
      `The set has a setting of ${database} without a name: ${entry.slice(0, 80)}`,
    );
  }
  const [name, value] = [entry.slice(0, at), entry.slice(at + 1)];
  const subject =
    role === null ? `DATABASE ${identifier(database)}` : `ROLE ${identifier(role)} IN DATABASE ${identifier(database)}`;
  const elements = isListSetting(name) ? listElements(value) : [value];
  const quoted = elements.map((element) => literal(element).trim()).join(', ');
  return `ALTER ${subject} SET ${name.split('.').map(identifier).join('.')} TO ${quoted}`;
}

function regrant(database: string, owner: string, grants: NonNullable<DatabaseProperties['grants']>): string[] {
  const on = `ON DATABASE ${identifier(database)}`;
  return [
    `REVOKE ALL ${on} FROM PUBLIC, ${identifier(owner)}`,
    ...grants.map(({ grantee, privilege, grantable }) => {
      const word = DATABASE_PRIVILEGES.find((known) => known === privilege);
      if (word === undefined) {
        const message = `The set grants ${String(privilege).slice(0, 80)} on ${database}, which is not a privilege of a database.`;
        throw new PilotError('restore_refused', message);
      }
      const to = grantee === null ? 'PUBLIC' : identifier(grantee);
      return `GRANT ${word} ${on} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`;
    }),
  ];
}

/** A script for `psql -qAt` as superuser: how many tables with rows of their own there are, and how many rows: `12|3456`. */
export const COUNT_ROWS = String.raw`${WITHOUT_EVENT_TRIGGERS}
CREATE TEMP TABLE diun_pilot_counted (n bigint);
SELECT pg_catalog.format('INSERT INTO pg_temp.diun_pilot_counted SELECT pg_catalog.count(*) FROM ONLY %I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
\gexec
SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(n), 0) FROM pg_temp.diun_pilot_counted;
`;

/** What is there of one database, by name, decides what is still to be done: so it can be cut off anywhere and done again. */
export interface SwapNames {
  name: string;
  fresh: string;
  before: string;
}

/** Statements of one transaction that puts the fresh ones in place. Nothing where it is done already. */
export function swapStatements(databases: readonly SwapNames[], there: ReadonlySet<string>): string[] {
  return databases.flatMap(({ name, fresh, before }) =>
    there.has(fresh) ? [...(there.has(name) ? [renameDatabase(name, before)] : []), renameDatabase(fresh, name)] : [],
  );
}

/** The way back: what was swapped is swapped again, what was not is left. */
export function undoStatements(databases: readonly SwapNames[], there: ReadonlySet<string>): string[] {
  return databases.flatMap(({ name, fresh, before }) =>
    there.has(fresh)
      ? []
      : [
          ...(there.has(name) ? [renameDatabase(name, fresh)] : []),
          ...(there.has(before) ? [renameDatabase(before, name)] : []),
        ],
  );
}

/** While a dump is loaded under its own name: the running database is out of the way. */
export function lendNameStatements(databases: readonly SwapNames[], there: ReadonlySet<string>): string[] {
  return databases.flatMap(({ name, before }) =>
    there.has(name) && !there.has(before) ? [renameDatabase(name, before)] : [],
  );
}

export function placeLoadedStatements(databases: readonly SwapNames[], there: ReadonlySet<string>): string[] {
  return databases.flatMap(({ name, fresh, before }) =>
    there.has(name) && there.has(before) ? [renameDatabase(name, fresh), renameDatabase(before, name)] : [],
  );
}

export function giveNameBackStatements(databases: readonly SwapNames[], there: ReadonlySet<string>): string[] {
  return databases.flatMap(({ name, before }) =>
    there.has(before) && !there.has(name) ? [renameDatabase(before, name)] : [],
  );
}

/** The settings whose value is a list of quoted names: `variable_is_guc_list_quote` of pg_dump. */
const LISTS = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
];

function isListSetting(name: string): boolean {
  return LISTS.includes(name.toLowerCase());
}

/**
 * The elements of such a value as the catalog stores it (`SplitGUCList` of pg_dump). A role may store anything that
 * PostgreSQL accepts as a list, also `public;DROP`: each element is data and never SQL. What cannot be split is
 * one element, so that no role can make its database impossible to restore.
 */
export function listElements(value: string): string[] {
  if (value.trim() === '') return [''];
  const elements: string[] = [];
  let rest = value.trimStart();
  for (;;) {
    const element = QUOTED.exec(rest) ?? PLAIN.exec(rest);
    if (element === null) return [value];
    elements.push(element[1]?.replaceAll('""', '"') ?? element[0].trimEnd());
    rest = rest.slice(element[0].length);
    if (rest === '') return elements;
    if (!rest.startsWith(',')) return [value];
    rest = rest.slice(1).trimStart();
  }
}

const QUOTED = /^"((?:[^"]|"")*)"\s*/;
const PLAIN = /^[^",\s][^,\s]*\s*/;
