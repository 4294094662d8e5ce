import type { DatabaseProperties } from '../../domain/backups/backup';
import { literal } from '../../lib/sql-quoting';
import type { Psql } from './psql';
import { WITHOUT_EVENT_TRIGGERS } from './scratch-names';

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
