import { IS_SUPERUSER } from '../../backups/sources/dump-rights';
import type { Psql } from './psql';
import { GUARD_SCHEMA, WITHOUT_EVENT_TRIGGERS } from './scratch-names';

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
