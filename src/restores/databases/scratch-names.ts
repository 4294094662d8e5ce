import { randomBytes } from 'node:crypto';

/** Random, so that no database of a set can have an object of that name, which would make its restore fail. */
const SUFFIX = randomBytes(8).toString('hex');

/** Schema and event trigger of the guard of a load. */
export const GUARD_SCHEMA = `diun_pilot_restore_${SUFFIX}`;
/** Schema and event trigger by which functions find names without a schema during a load. */
const NAMES_SCHEMA = `diun_pilot_names_${SUFFIX}`;

const REPLICA = 'session_replication_role';

/**
 * The event triggers of a restored database would see our own statements and those of pg_restore: one may log them as
 * data, or refuse them. Only a superuser may set this; it ends with the session. Ours are `ENABLE ALWAYS`.
 */
export const WITHOUT_EVENT_TRIGGERS = `SET ${REPLICA} = replica;`;

/** The same for a client, by its environment. Tables are loaded before their triggers are created, so it changes no more. */
export function withoutEventTriggers(env: readonly string[]): string[] {
  return env.map((line) => (line.startsWith('PGOPTIONS=') ? `${line} -c ${REPLICA}=replica` : line));
}

/**
 * A dump sets an empty search_path, and a function that uses names without a schema then fails in an index (earthdistance
 * up to PostgreSQL 16). During the load each SQL or PL/pgSQL function without a search_path of its own looks in its
 * schema and in public. What a user of the database creates there runs as its owner: see `load-dump.ts`.
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
