import { Readable } from 'node:stream';
import { IS_SUPERUSER } from '../../backups/sources/dump-rights';
import type { Finding } from '../../backups/sources/item-source';
import { endsAsPgDumpallDoes } from '../../backups/sources/postgres-source';
import type { DatabaseProperties } from '../../domain/backups/backup';
import { BOUNDS } from '../../domain/bounds';
import { PilotError } from '../../domain/errors';
import { identifier, literal } from '../../lib/sql-quoting';
import { readWithin } from '../../lib/streams';
import type { Engine } from '../../ports/engine';
import { missingRoles } from './role-statement';
import { applyProperties, createDatabase, LIST_ROLES, LIST_TABLESPACES } from './postgres-sql';
import { psqlOf } from './psql';

/** Collects the script of a set's roles while it is verified. */
export function roleScript(): {
  verify: (content: AsyncIterable<Buffer>) => Promise<Finding>;
  statements: () => string;
} {
  let script: Buffer = Buffer.alloc(0);
  return {
    verify: async (content) => {
      script = await readWithin(Readable.from(content), BOUNDS.databaseGlobals);
      return endsAsPgDumpallDoes(Readable.from([script]));
    },
    statements: () => script.toString(),
  };
}

/** Throws `restore_refused` for a script of which a statement is unknown, or whose tablespaces the server does not have. */
export async function checkRoles(engine: Engine, server: { id: string; name: string }, script: string): Promise<void> {
  const psql = await psqlOf(engine, server);
  const { tablespaces } = missingRoles(script, new Set(await psql.list(LIST_ROLES)));
  if (tablespaces.length > 0) refuseTablespaces(server.name, tablespaces, await psql.list(LIST_TABLESPACES));
}

export function refuseTablespaces(server: string, needed: readonly string[], there: readonly string[]): void {
  const absent = needed.filter((name) => !there.includes(name));
  if (absent.length === 0) return;
  throw new PilotError(
    'restore_refused',
    `${server} has no tablespace ${absent.join(', ')}, which the set uses: create it first (CREATE TABLESPACE), then restore again.`,
  );
}

/** Throws `restore_refused` for settings and grants of a database that its server would refuse after the load. */
export async function checkProperties(
  engine: Engine,
  server: { id: string; name: string },
  database: string,
  properties: DatabaseProperties,
): Promise<void> {
  createDatabase(database, properties);
  applyProperties(database, properties);
  const names = plainNames(properties);
  if (names.length === 0) return;
  const unknown = await (await psqlOf(engine, server)).list(unknownSettings(names));
  if (unknown.length === 0) return;
  throw new PilotError(
    'restore_refused',
    `The set has settings of database ${database} that ${server.name} does not know: ${unknown.join(', ')}. Nothing was stopped. Run the version of PostgreSQL that the set was taken from, restore, and upgrade afterwards.`,
  );
}

/** A name with a dot belongs to an extension, which may be loaded later: the server accepts any. */
function plainNames({ settings }: DatabaseProperties): string[] {
  const names = (settings ?? []).flatMap(({ config }) => config.map((entry) => entry.slice(0, entry.indexOf('='))));
  return [...new Set(names)].filter((name) => !name.includes('.'));
}

function unknownSettings(names: readonly string[]): string {
  const asked = names.map((name) => `(${literal(name).trim()})`).join(', ');
  return `SELECT name FROM (VALUES ${asked}) asked(name) WHERE pg_catalog.current_setting(name, true) IS NULL`;
}

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
