import { z } from 'zod';
import { insist } from '../../containers/insist';
import { listDatabases } from '../../backups/sources/postgres-source';
import {
  type DatabaseFingerprint,
  type DatabaseServer,
  databaseTitle,
  type DataFingerprint,
  type MigrationTable,
  OBJECT_KINDS,
  serverTitle,
} from '../../domain/data/data-fingerprint';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Clock } from '../../lib/clock';
import type { Logger, Progress } from '../../lib/logger';
import { identifier, literal } from '../../lib/sql-quoting';
import type { Engine } from '../../ports/engine';
import { conninfo, type PostgresLogin, readPostgresLogin } from '../../probes/postgres-probe';

const READ_WITHIN_MS = 60_000;
const BYTES_AT_MOST = 16 * 1024 * 1024;
const DATABASES_AT_MOST = 50;

/** Nothing can be written, no lock is waited for, and no name is looked up where a user of the database may create one. */
const SESSION = [
  'default_transaction_read_only=on',
  'statement_timeout=20s',
  'lock_timeout=5s',
  'search_path=pg_catalog',
  'row_security=off',
  'jit=off',
];

const objects = z.object({
  count: z.number(),
  hash: z.string(),
  names: z.record(z.string(), z.string()).nullable(),
});
const catalog = z.object({
  kinds: z.partialRecord(z.enum(OBJECT_KINDS), objects).nullable(),
  versioned: z
    .array(
      z.object({
        schema: z.string(),
        table: z.string(),
        title: z.string(),
        value: z.string().nullable(),
        rank: z.string().nullable(),
      }),
    )
    .nullable(),
});
const contents = z.array(
  z.object({ title: z.string(), rows: z.number(), last: z.string().nullable(), hash: z.string().nullable() }),
);

/**
 * Reads what an update can change in the databases of these servers: by the login of the backup, read-only, bounded in time
 * and size. A server or database that cannot be read is a part of the result; one refused call is repeated, since what is not known is
 * not restored. Rejects only with `engine_unreachable`.
 */
export async function readFingerprint(
  parts: { engine: Engine; clock: Clock; logger: Logger },
  servers: readonly DatabaseServer[],
  progress: Progress,
): Promise<DataFingerprint> {
  const { engine } = parts;
  const fingerprint: DataFingerprint = { servers: [...servers], databases: [], unread: [] };
  const tryTo = async (what: string, read: () => Promise<void>): Promise<void> => {
    try {
      await insist(parts, `the look at ${what}`, read);
    } catch (error) {
      rethrowEngineLost(error);
      fingerprint.unread.push({ what, why: messageOf(error) });
    }
  };
  for (const server of servers) {
    await tryTo(serverTitle(server.name), async () => {
      const login = await readPostgresLogin(engine, await engine.inspectContainer(server.id));
      const names = await listDatabases(engine, server, login);
      for (const database of names.slice(0, DATABASES_AT_MOST)) {
        const title = databaseTitle({ server: server.name, database });
        progress(`reading the schema of ${title}`);
        await tryTo(
          title,
          async () => void fingerprint.databases.push(await readDatabase(engine, server, login, database)),
        );
      }
      for (const database of names.slice(DATABASES_AT_MOST)) {
        const why = `only the first ${DATABASES_AT_MOST} databases of a server are read`;
        fingerprint.unread.push({ what: databaseTitle({ server: server.name, database }), why });
      }
    });
  }
  return fingerprint;
}

async function readDatabase(
  engine: Engine,
  server: DatabaseServer,
  login: PostgresLogin,
  database: string,
): Promise<DatabaseFingerprint> {
  const ask = async (query: string): Promise<unknown> =>
    JSON.parse(await outputOf(engine, server.id, login, database, query));
  const { kinds, versioned } = catalog.parse(await ask(CATALOG_QUERY));
  return {
    server: server.name,
    database,
    objects: kinds ?? {},
    migrations: versioned === null ? {} : migrationsOf(contents.parse(await ask(contentsQuery(versioned)))),
  };
}

function migrationsOf(tables: z.infer<typeof contents>): Record<string, MigrationTable> {
  return Object.fromEntries(
    tables.map(({ title, rows, last, hash }) => [
      title,
      isWhole(rows) ? { rows, hash, last } : { rows: null, hash: null, last },
    ]),
  );
}

async function outputOf(
  engine: Engine,
  id: string,
  login: PostgresLogin,
  database: string,
  query: string,
): Promise<string> {
  const command = [
    'psql',
    '-X',
    '-w',
    '-q',
    '-At',
    '-v',
    'ON_ERROR_STOP=1',
    '-U',
    login.user,
    '-d',
    conninfo(database),
  ];
  const env = [
    // Of two values of one variable the first would count.
    ...login.env.filter((line) => !line.startsWith('PGOPTIONS=')),
    'PGCONNECT_TIMEOUT=10',
    `PGOPTIONS=${SESSION.map((setting) => `-c ${setting}`).join(' ')}`,
  ];
  const signal = AbortSignal.timeout(READ_WITHIN_MS);
  try {
    return await wholeText(await engine.execOutput(id, [...command, '-c', query], { env, signal }));
  } catch (error) {
    // A connection that was cut for being slow must not look like an engine that is gone.
    if (!signal.aborted) throw error;
    throw new PilotError('exec_failed', `psql did not answer within ${READ_WITHIN_MS / 1000} s`, { cause: error });
  }
}

async function wholeText(output: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of output) {
    bytes += chunk.length;
    if (bytes > BYTES_AT_MOST) throw new PilotError('exec_failed', 'its catalog is too large to be compared');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Names of more objects of a kind than these are not kept: the hash over all of them shows whether one has changed. */
const NAMED_AT_MOST = 1500;
/** A migration table is small: one that takes more room is not read. */
const SMALL_BYTES = 4 * 1024 * 1024;
const TABLES_AT_MOST = 30;

/** Names by which migration tools call their table. */
const BY_NAME = [
  String.raw`migration`,
  String.raw`schema_?(history|info|log|meta|changes?)`,
  String.raw`^_*((schema|db|database|data|core)_?)?versions?$`,
  String.raw`(^|_)(schema|db|database|alembic)_?versions?$`,
  String.raw`^database_?change_?log`,
  String.raw`^(sequelizemeta|phinxlog)$`,
].join('|');
/** The columns that such a table has, where its name says nothing: few, and one of these. */
const BY_SHAPE = String.raw`^(schema_|db_|database_)?(version|version_num|version_number|version_id|migration|migration_id|migration_name|revision)$`;

/**
 * One line of JSON for the database that is asked: of each kind of object the number, a hash over all definitions, and the
 * names with a hash each; and which tables look like those of a migration tool. Objects of extensions are left out, since
 * the extension's own version stands for them. Without column numbers, which a restore changes. PostgreSQL 11 to 18.
 */
const CATALOG_QUERY = `WITH
  own AS (SELECT oid, CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END AS prefix, nspname
    FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
  ofext AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
  rel AS (SELECT c.oid, c.relkind, c.relname, own.nspname, own.prefix || c.relname AS name, c.relispartition, c.relrowsecurity
    FROM pg_class c JOIN own ON own.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT 1 FROM ofext WHERE classid = 'pg_class'::regclass AND objid = c.oid)),
  col AS (SELECT rel.oid AS rel, rel.relkind, rel.name || '.' || a.attname AS name,
      concat_ws('|', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        (SELECT collname FROM pg_collation WHERE oid = nullif(a.attcollation, t.typcollation)), pg_get_expr(d.adbin, d.adrelid)) AS def
    FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE rel.relkind IN ('r', 'p', 'f', 'c')),
  typ AS (SELECT t.oid, t.typtype, t.typrelid, own.prefix || t.typname AS name,
      concat_ws('|', t.typtype, t.typnotnull, t.typdefault, nullif(t.typbasetype, 0)::regtype, t.typtypmod) AS def
    FROM pg_type t JOIN own ON own.oid = t.typnamespace
    WHERE NOT EXISTS (SELECT 1 FROM ofext WHERE classid = 'pg_type'::regclass AND objid = t.oid)),
  entry(kind, name, def) AS (
    SELECT 'schema', nspname::text, '' FROM own WHERE nspname <> 'public'
    UNION ALL SELECT 'table', name, concat_ws('|', relkind, relispartition, relrowsecurity) FROM rel WHERE relkind IN ('r', 'p', 'f')
    UNION ALL SELECT 'column', name, def FROM col WHERE relkind <> 'c'
    UNION ALL SELECT 'view', name, pg_get_viewdef(oid) FROM rel WHERE relkind IN ('v', 'm')
    UNION ALL SELECT 'sequence', name, '' FROM rel WHERE relkind = 'S' AND NOT EXISTS (SELECT 1 FROM pg_depend
      WHERE classid = 'pg_class'::regclass AND objid = rel.oid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i'))
    UNION ALL SELECT 'index', rel.name || '.' || i.relname, concat(pg_get_indexdef(x.indexrelid), x.indisvalid)
      FROM pg_index x JOIN rel ON rel.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    UNION ALL SELECT 'type', name, concat(def, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = typ.oid),
        (SELECT string_agg(col.name || col.def, ',' ORDER BY col.name COLLATE "C") FROM col WHERE col.rel = typ.typrelid AND col.relkind = 'c'))
      FROM typ WHERE typtype IN ('e', 'd', 'r') OR (typtype = 'c' AND EXISTS (SELECT 1 FROM pg_class WHERE oid = typ.typrelid AND relkind = 'c'))
    UNION ALL SELECT 'constraint', coalesce(rel.name, typ.name) || '.' || k.conname, concat(pg_get_constraintdef(k.oid), k.convalidated)
      FROM pg_constraint k LEFT JOIN rel ON rel.oid = k.conrelid LEFT JOIN typ ON typ.oid = k.contypid
      WHERE k.contype NOT IN ('n', 't') AND (rel.oid IS NOT NULL OR typ.oid IS NOT NULL)
    UNION ALL SELECT 'function', left(own.prefix || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 200),
        concat_ws('|', p.prokind, (SELECT lanname FROM pg_language WHERE oid = p.prolang), format_type(p.prorettype, NULL), p.provolatile, p.prosecdef, p.proisstrict, p.prosrc, p.probin, p.proconfig)
      FROM pg_proc p JOIN own ON own.oid = p.pronamespace
      WHERE NOT EXISTS (SELECT 1 FROM ofext WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    UNION ALL SELECT 'trigger', rel.name || '.' || g.tgname, concat(pg_get_triggerdef(g.oid), g.tgenabled)
      FROM pg_trigger g JOIN rel ON rel.oid = g.tgrelid WHERE NOT g.tgisinternal
    UNION ALL SELECT 'extension', extname::text, extversion FROM pg_extension),
  kinds AS (SELECT kind, count(*) AS count, md5(string_agg(md5(name) || md5(def), '' ORDER BY name COLLATE "C", def COLLATE "C")) AS hash,
      CASE WHEN count(*) <= ${NAMED_AT_MOST} THEN json_object_agg(name, left(md5(def), 8)) END AS names
    FROM (SELECT kind, name, coalesce(def, '') AS def FROM entry) e GROUP BY kind),
  found AS (SELECT rel.oid, rel.nspname, rel.relname, rel.name FROM rel
    WHERE rel.relkind IN ('r', 'p') AND pg_total_relation_size(rel.oid) <= ${SMALL_BYTES} AND has_table_privilege(rel.oid, 'SELECT')
      AND (rel.relname ~* '${BY_NAME}'
        OR (SELECT count(*) <= 3 AND bool_or(attname ~* '${BY_SHAPE}') FROM pg_attribute
          WHERE attrelid = rel.oid AND attnum > 0 AND NOT attisdropped))
    ORDER BY rel.name COLLATE "C" LIMIT ${TABLES_AT_MOST}),
  plain AS (SELECT attrelid, attname, attnum, atttypid IN (20, 21, 23) AS whole FROM found JOIN pg_attribute ON attrelid = found.oid
    WHERE attnum > 0 AND NOT attisdropped AND atttypid IN (20, 21, 23, 25, 1042, 1043, 1700, 2950)),
  versioned AS (SELECT found.nspname AS schema, found.relname AS table, found.name AS title,
      (SELECT attname FROM plain WHERE attrelid = found.oid ORDER BY
        CASE WHEN attname ~* '^(schema_|db_|database_)?version(_num|_number|_id)?$' THEN 0
          WHEN attname ~* 'version|migration|revision|change' THEN 1
          WHEN attname ~* 'name|file|script|tag|key' THEN 2 ELSE 3 END, attnum LIMIT 1) AS value,
      (SELECT attname FROM plain WHERE attrelid = found.oid AND whole ORDER BY attnum LIMIT 1) AS rank
    FROM found)
SELECT json_build_object(
  'kinds', (SELECT json_object_agg(kind, json_build_object('count', count, 'hash', hash, 'names', names)) FROM kinds),
  'versioned', (SELECT json_agg(row_to_json(versioned)) FROM versioned))`;

/** A migration table with more rows than these is not a small table. */
const ROWS_AT_MOST = 1000;

/** A table that looks like that of a migration tool. */
export interface VersionedTable {
  schema: string;
  table: string;
  /** As reports name it: without the schema where that is `public`. */
  title: string;
  /** The column that names a migration; null: none of a plain type. */
  value: string | null;
  /** The column by which the newest row is known; null: `value` itself. */
  rank: string | null;
}

/** One line of JSON: for each table its rows, a hash over their content, and what its newest row says. */
function contentsQuery(tables: readonly VersionedTable[]): string {
  return `SELECT json_build_array(${tables.map(ofTable).join(', ')})`;
}

function ofTable({ schema, table, title, value, rank }: VersionedTable): string {
  const from = `${identifier(schema)}.${identifier(table)}`;
  const newest = value === null ? 'NULL' : newestOf(from, identifier(value), rank);
  return `(SELECT json_build_object('title', ${literal(title)}, 'rows', count(*), 'last', ${newest},
    'hash', md5(string_agg(md5((of_it.*)::text), '' ORDER BY md5((of_it.*)::text) COLLATE "C")))
    FROM (SELECT * FROM ${from} LIMIT ${ROWS_AT_MOST + 1}) of_it)`;
}

function newestOf(from: string, value: string, rank: string | null): string {
  const by = rank === null ? `${value}::text COLLATE "C"` : identifier(rank);
  return `(SELECT left(${value}::text, 100) FROM ${from} ORDER BY ${by} DESC NULLS LAST LIMIT 1)`;
}

/** Whether all of its rows were read. */
function isWhole(rows: number): boolean {
  return rows <= ROWS_AT_MOST;
}
