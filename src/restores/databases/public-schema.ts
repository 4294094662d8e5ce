import type { Psql } from './psql';

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
