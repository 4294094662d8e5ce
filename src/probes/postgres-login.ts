import type { ContainerInspect } from '../domain/engine-inspect';
import { environmentOf } from '../domain/environment';
import { PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';

const READ_WITHIN_MS = 15_000;

export interface PostgresLogin {
  user: string;
  /** The database to connect to for questions about the whole server. */
  database: string;
  /** The password, where the server's own socket asks for one. */
  env: string[];
}

/** The official image's variables, each also as `NAME_FILE`, read from the running server's container. */
export async function readPostgresLogin(engine: Engine, server: ContainerInspect): Promise<PostgresLogin> {
  const environment = environmentOf(server.Config.Env);
  const setting = async (name: string): Promise<string | undefined> => {
    const file = environment.get(`${name}_FILE`);
    return environment.get(name) ?? (file === undefined ? undefined : readSecret(engine, server.Id, name, file));
  };
  const user = (await setting('POSTGRES_USER')) ?? 'postgres';
  const database = (await setting('POSTGRES_DB')) ?? 'postgres';
  const password = await setting('POSTGRES_PASSWORD');
  return { user, database, env: password === undefined ? [] : [`PGPASSWORD=${password}`] };
}

async function readSecret(engine: Engine, id: string, name: string, file: string): Promise<string> {
  const { exitCode, stdout } = await engine.exec(id, ['cat', file], {
    user: '0',
    signal: AbortSignal.timeout(READ_WITHIN_MS),
  });
  if (exitCode === 0) return stdout.replace(/\n$/, '');
  throw new PilotError('backup_failed', `The file that ${name}_FILE names cannot be read in its container.`);
}

/** A database may be named so that libpq would take its name for a connection string (`a=b`, `postgres://…`). */
export function conninfo(database: string): string {
  return `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}
