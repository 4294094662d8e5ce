import { IS_SUPERUSER } from '../../backups/sources/dump-rights';
import { PilotError } from '../../domain/errors';
import { identifier } from '../../lib/sql-quoting';
import type { Engine } from '../../ports/engine';
import { psqlOf } from './psql';

const MAY_CREATE = 'SELECT rolname FROM pg_roles WHERE rolname = current_user AND rolcreatedb';

/** Throws `restore_refused` for a server whose user may not create a database, so that no restore could succeed. */
export async function checkRights(engine: Engine, server: { id: string; name: string }): Promise<void> {
  const psql = await psqlOf(engine, server);
  if ((await psql.list(IS_SUPERUSER)).length > 0 || (await psql.list(MAY_CREATE)).length > 0) return;
  const { user } = psql.login;
  throw new PilotError(
    'restore_refused',
    `User ${user} (POSTGRES_USER of ${server.name}) is not a superuser and may not create databases. Nothing was stopped. As a superuser of ${server.name} run: ALTER ROLE ${identifier(user)} SUPERUSER. Then restore again.`,
  );
}
