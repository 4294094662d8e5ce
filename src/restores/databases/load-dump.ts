import { randomBytes } from 'node:crypto';
import type { DatabaseProperties } from '../../domain/backups/backup';
import type { ExecResult } from '../../ports/engine';
import { conninfo } from '../../probes/postgres-probe';
import type { Psql } from './psql';
import { IS_SUPERUSER } from '../../backups/sources/dump-rights';
import { literal } from '../../lib/sql-quoting';

/**
 * `transactions`: not all in one. `search_path`: functions find the names that they use without a schema. `own_name`: into
 * a database of the name that it was dumped from.
 */
type Relaxation = 'transactions' | 'search_path' | 'own_name';

/** One way to load a dump: `prepare` makes the database fresh again, `load` runs pg_restore with the flags. */
interface Load {
  prepare: (relaxed: readonly Relaxation[]) => Promise<void>;
  load: (flags: readonly string[]) => Promise<ExecResult>;
}

/** pg_cron, and others that copy its words. */
const ONE_DATABASE = /can only (?:create extension|be (?:installed|created)) in/;

const WORDS: Record<Relaxation, string> = {
  transactions: 'in several transactions, because one needs more locks than max_locks_per_transaction allows',
  own_name: 'under its own name, because an extension can exist in the database of that name only',
  search_path: 'with the search_path of its schemas for functions that use names without a schema',
};

/**
 * Loads a dump strictly, then relaxed as far as its errors require. Each try starts with a fresh database that is not in
 * use. Resolves with the last result and how it was loaded, as text; null: strictly.
 */
export async function loadDump({ prepare, load }: Load): Promise<ExecResult & { relaxed: string | null }> {
  const relaxed: Relaxation[] = [];
  for (;;) {
    await prepare(relaxed);
    const single = relaxed.includes('transactions') ? [] : ['--single-transaction'];
    const result = await load(['--exit-on-error', ...single]);
    const next = result.exitCode === 0 ? null : relaxationFor(result.stderr);
    if (next === null || relaxed.includes(next)) {
      return { ...result, relaxed: relaxed.length === 0 ? null : relaxed.map((one) => WORDS[one]).join(', and ') };
    }
    relaxed.push(next);
  }
}

/** One dump, and the database that it is loaded into. */
interface Loading {
  /** Makes a fresh database and resolves with its name. */
  create: (relaxed: readonly Relaxation[]) => Promise<string>;
  /** Major version of the server that it was dumped from; null: not known. */
  dumped: number | null;
  properties: Pick<DatabaseProperties, 'ownerOfPublic'> | null | undefined;
  /** What the dump runs must gain no rights. False: on a throwaway server, whose user is a superuser. */
  guard: boolean;
  /** Runs pg_restore with that command line and environment, fed with the dump. */
  feed: (command: string[], env: string[]) => Promise<ExecResult>;
  options?: readonly string[];
}

/** `loadDump` with all that a dump does not hold and needs around it; what was created for the load is removed after it. */
export async function loadInto(
  psql: Psql,
  { create, dumped, properties, guard, feed, options = [] }: Loading,
): ReturnType<typeof loadDump> {
  const { user, env } = psql.login;
  let database = '';
  const is = { guarded: false, superuser: false, named: false };
  const result = await loadDump({
    prepare: async (relaxed) => {
      database = await create(relaxed);
      is.guarded = guard && (await guardLoad(psql, database));
      is.superuser = is.guarded || !guard;
      if (is.superuser) await publicAsDumped(psql, database, dumped);
      is.named = is.superuser && relaxed.includes('search_path');
      if (is.named) await psql.script(FIND_NAMES, database);
    },
    load: (flags) => {
      const command = ['pg_restore', '-w', '-U', user, '-d', conninfo(database), ...options, ...flags];
      return feed(command, is.superuser ? withoutEventTriggers(env) : env);
    },
  });
  if (result.exitCode !== 0) return result;
  if (is.named) await psql.script(END_FIND_NAMES, database);
  if (is.guarded) await psql.script(END_GUARD, database);
  if (is.superuser) await publicAsOwned(psql, database, properties);
  return result;
}

/** Pure. Null: no way is known to load what failed. */
export function relaxationFor(stderr: string): Relaxation | null {
  if (/out of shared memory/.test(stderr)) return 'transactions';
  if (ONE_DATABASE.test(stderr)) return 'own_name';
  if (/ERROR: +(?:function|type|operator|relation) .* does not exist/.test(stderr)) return 'search_path';
  return null;
}

/** Pure: pg_restore's words with what the operator can do. */
export function explainLoad(stderr: string): string {
  const words = stderr.trim().slice(-1000);
  const advice = ADVICE.find(([pattern]) => pattern.test(stderr))?.[1];
  return advice === undefined ? words : `${advice} ${words}`;
}

const ADVICE: [RegExp, string][] = [
  [
    /No space left on device/,
    'The disk of the database server is full: a restore needs space for a second copy of the databases. Make room on it, then restore again.',
  ],
  [
    ONE_DATABASE,
    'The dump has an extension that can exist in only one database, and the server is configured for another one. Set that name for the server (cron.database_name for pg_cron), restart it, then restore again.',
  ],
  [
    /ERROR: +(?:function|type|operator|relation) .* does not exist/,
    'A function or an index uses a name without its schema. Write the schema in that function (ALTER FUNCTION … SET search_path = …), then take a new backup.',
  ],
  [
    /out of shared memory/,
    'The server has too few locks: raise max_locks_per_transaction, restart it, then restore again.',
  ],
];

/** Random, so that no database of a set can have an object of that name, which would make its restore fail. */
const SUFFIX = randomBytes(8).toString('hex');

/** Schema and event trigger of the guard of a load. */
const GUARD_SCHEMA = `diun_pilot_restore_${SUFFIX}`;
/** Schema and event trigger by which functions find names without a schema during a load. */
const NAMES_SCHEMA = `diun_pilot_names_${SUFFIX}`;

const REPLICA = 'session_replication_role';

/**
 * The event triggers of a restored database would see our own statements and those of pg_restore: one may log them as
 * data, or refuse them. Only a superuser may set this; it ends with the session. Ours are `ENABLE ALWAYS`.
 */
export const WITHOUT_EVENT_TRIGGERS = `SET ${REPLICA} = replica;`;

/** The same for a client, by its environment. Tables are loaded before their triggers are created, so it changes no more. */
function withoutEventTriggers(env: readonly string[]): string[] {
  return env.map((line) => (line.startsWith('PGOPTIONS=') ? `${line} -c ${REPLICA}=replica` : line));
}

/**
 * A dump sets an empty search_path, and a function that uses names without a schema then fails in an index (earthdistance
 * up to PostgreSQL 16). During the load each SQL or PL/pgSQL function without a search_path of its own looks in its
 * schema and in public. What a user of the database creates there runs as its owner: see `GUARD`.
 */
export const FIND_NAMES = `CREATE SCHEMA ${NAMES_SCHEMA};
CREATE TABLE ${NAMES_SCHEMA}.changed (function oid PRIMARY KEY);
CREATE FUNCTION ${NAMES_SCHEMA}.follow() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $names$
DECLARE one record;
BEGIN
  FOR one IN SELECT DISTINCT p.oid, n.nspname FROM pg_event_trigger_ddl_commands() c
      LEFT JOIN pg_depend d ON c.classid = 'pg_extension'::regclass AND d.refclassid = c.classid
        AND d.refobjid = c.objid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
      JOIN pg_proc p ON p.oid = coalesce(d.objid, CASE WHEN c.classid = 'pg_proc'::regclass THEN c.objid END)
      JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE NOT c.in_extension AND l.lanname IN ('sql', 'plpgsql') AND p.prokind = 'f' AND p.proconfig IS NULL
        AND n.nspname NOT IN ('${NAMES_SCHEMA}', '${GUARD_SCHEMA}')
        AND NOT EXISTS (SELECT FROM ${NAMES_SCHEMA}.changed k WHERE k.function = p.oid)
  LOOP
    INSERT INTO ${NAMES_SCHEMA}.changed VALUES (one.oid);
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, public', one.oid::regprocedure, one.nspname);
  END LOOP;
END $names$;
CREATE EVENT TRIGGER ${NAMES_SCHEMA} ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION', 'CREATE EXTENSION')
  EXECUTE PROCEDURE ${NAMES_SCHEMA}.follow();
ALTER EVENT TRIGGER ${NAMES_SCHEMA} ENABLE ALWAYS;
`;

/** Each function is as the dump has it again. */
export const END_FIND_NAMES = `SET client_min_messages = warning;
${WITHOUT_EVENT_TRIGGERS}
DROP EVENT TRIGGER ${NAMES_SCHEMA};
DO $names$
DECLARE one oid;
BEGIN
  FOR one IN SELECT p.oid FROM ${NAMES_SCHEMA}.changed k JOIN pg_catalog.pg_proc p ON p.oid = k.function LOOP
    EXECUTE pg_catalog.format('ALTER FUNCTION %s RESET search_path', one::pg_catalog.regprocedure);
  END LOOP;
END $names$;
DROP SCHEMA ${NAMES_SCHEMA} CASCADE;
`;

/**
 * While rows are loaded, the functions of CHECK constraints, domains and generated columns run as the superuser that
 * restores (measured, 15.18: a plain role became superuser). So each function of a role that is not a superuser runs as
 * its owner until the load has ended: `ALTER FUNCTION … OWNER TO` of the dump is followed by SECURITY DEFINER.
 */
const GUARD = `CREATE SCHEMA ${GUARD_SCHEMA};
CREATE TABLE ${GUARD_SCHEMA}.guarded (function oid PRIMARY KEY);
CREATE FUNCTION ${GUARD_SCHEMA}.guard() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $guard$
DECLARE one oid;
BEGIN
  FOR one IN SELECT p.oid FROM pg_event_trigger_ddl_commands() c
      JOIN pg_proc p ON c.classid = 'pg_proc'::regclass AND p.oid = c.objid
      JOIN pg_roles r ON r.oid = p.proowner
      WHERE NOT c.in_extension AND NOT p.prosecdef AND NOT r.rolsuper
  LOOP
    INSERT INTO ${GUARD_SCHEMA}.guarded VALUES (one) ON CONFLICT DO NOTHING;
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', one::regprocedure);
  END LOOP;
END $guard$;
CREATE EVENT TRIGGER ${GUARD_SCHEMA} ON ddl_command_end WHEN TAG IN ('CREATE FUNCTION', 'ALTER FUNCTION')
  EXECUTE PROCEDURE ${GUARD_SCHEMA}.guard();
ALTER EVENT TRIGGER ${GUARD_SCHEMA} ENABLE ALWAYS;
`;

/** Each function is as the dump has it again, and nothing of the guard is left. */
export const END_GUARD = `SET client_min_messages = warning;
${WITHOUT_EVENT_TRIGGERS}
DROP EVENT TRIGGER ${GUARD_SCHEMA};
DO $guard$
DECLARE one oid;
BEGIN
  FOR one IN SELECT p.oid FROM ${GUARD_SCHEMA}.guarded g JOIN pg_catalog.pg_proc p ON p.oid = g.function LOOP
    EXECUTE pg_catalog.format('ALTER FUNCTION %s SECURITY INVOKER', one::pg_catalog.regprocedure);
  END LOOP;
END $guard$;
DROP SCHEMA ${GUARD_SCHEMA} CASCADE;
`;

/** Guards a fresh database before a dump is loaded into it. False: the restoring role is not a superuser, so there is nothing to gain. */
export async function guardLoad(psql: Psql, database: string): Promise<boolean> {
  if ((await psql.list(IS_SUPERUSER)).length === 0) return false;
  await psql.script(GUARD, database);
  return true;
}

/** From 15 on, schema public of a new database belongs to pg_database_owner, and PUBLIC may not create in it. */
const CHANGED_IN = 15;

/** As every database of an earlier major has it: of the superuser that `initdb` made, and open to all. */
export const PUBLIC_BEFORE_15 = `DO $public$
DECLARE owner name := (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10);
BEGIN
  IF pg_catalog.current_setting('server_version_num')::int < ${CHANGED_IN}0000
    OR NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') THEN RETURN;
  END IF;
  EXECUTE pg_catalog.format('ALTER SCHEMA public OWNER TO %I', owner);
  GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;
END $public$;
`;

/**
 * A dump holds the rights on schema public only as far as they differ from the defaults of its own major. So a fresh database
 * gets those defaults before it is loaded. `dumped`: major of the dump; null: not known.
 */
export async function publicAsDumped(psql: Psql, database: string, dumped: number | null): Promise<void> {
  if (dumped !== null && dumped < CHANGED_IN) await psql.script(PUBLIC_BEFORE_15, database);
}

/**
 * After the load: the owner of schema public, which a dump of 14 or older does not hold, and whether there is one, which no dump
 * holds. The rights of the owner go with it. Rights that the dump grants are there by then.
 */
export async function publicAsOwned(
  psql: Psql,
  database: string,
  properties: Pick<DatabaseProperties, 'ownerOfPublic'> | null | undefined,
): Promise<void> {
  const owner = properties?.ownerOfPublic;
  if (owner === undefined) return;
  await psql.script(`${WITHOUT_EVENT_TRIGGERS}\n${owner === null ? DROP_PUBLIC : ownPublic(owner)}`, database);
}

/** What was created in it between the reading of the catalog and the dump stays. */
const DROP_PUBLIC = `SET client_min_messages = warning;
DO $public$
BEGIN
  DROP SCHEMA IF EXISTS public RESTRICT;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $public$;
`;

function ownPublic(owner: string): string {
  return `SELECT pg_catalog.format('ALTER SCHEMA public OWNER TO %I', ${literal(owner)})
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.rolname = ${literal(owner)}
  WHERE n.nspname = 'public' AND n.nspowner <> r.oid
\\gexec
`;
}
