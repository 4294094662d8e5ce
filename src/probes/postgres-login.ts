import type { ContainerInspect } from '../domain/engine-inspect';
import { environmentOf } from '../domain/recreate/environment';
import { PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { connectionOf, readPostgresListener, type PostgresListener } from './postgres-listener';
import { readFile, type Limits } from './read-file';

/**
 * The owner of a database may set its search_path, and a function of their own would then run as the superuser that
 * connects (CVE-2018-1058). What the client asks for has precedence over the settings of databases and roles.
 */
const ONLY_BUILT_IN = 'PGOPTIONS=-c search_path=pg_catalog';

/** For `psql` and `pg_dumpall`, whose text is read and written here; a dump keeps the encoding of its database. */
export const UTF8 = 'PGCLIENTENCODING=UTF8';

const SECRET: Limits = {
  mostBytes: 64 * 1024,
  refuse: (why) => new PilotError('backup_failed', why),
};

export interface PostgresLogin {
  user: string;
  /** The database to connect to for questions about the whole server. */
  database: string;
  /** For every client: where and how it connects, and the password where the server's own socket asks for one. */
  env: string[];
  /** Null: not known, so the client's defaults apply. */
  listener: PostgresListener | null;
}

/** The official image's variables, each also as `NAME_FILE`, read from the server's container. */
export async function readPostgresLogin(engine: Engine, server: ContainerInspect): Promise<PostgresLogin> {
  const environment = environmentOf(server.Config.Env);
  const setting = async (name: string): Promise<string | undefined> => {
    const file = environment.get(`${name}_FILE`);
    return environment.get(name) ?? (file === undefined ? undefined : readSecret(engine, server.Id, name, file));
  };
  const user = (await setting('POSTGRES_USER')) ?? 'postgres';
  const database = (await setting('POSTGRES_DB')) ?? 'postgres';
  const password = await setting('POSTGRES_PASSWORD');
  const listener = await readPostgresListener(engine, server);
  const secret = password === undefined ? [] : [`PGPASSWORD=${password}`];
  return { user, database, env: [ONLY_BUILT_IN, ...secret, ...connectionOf(listener)], listener };
}

async function readSecret(engine: Engine, id: string, name: string, file: string): Promise<string | undefined> {
  const content = file.startsWith('/') ? await readFile(engine, id, file, SECRET) : null;
  if (content !== null) return content.toString('utf8').replace(/\n$/, '');
  // The secrets of a Swarm task are in memory, where the engine reads no archive; the socket rarely asks for the password.
  if (name === 'POSTGRES_PASSWORD') return undefined;
  throw new PilotError('backup_failed', `The file that ${name}_FILE names cannot be read in its container.`);
}

/** A database may be named so that libpq would take its name for a connection string (`a=b`, `postgres://…`). */
export function conninfo(database: string): string {
  return `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}
