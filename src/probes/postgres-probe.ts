import type { ContainerInspect } from '../domain/engine-inspect';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { environmentOf } from '../domain/recreate/own-config';
import type { Engine } from '../ports/engine';
import { execAll } from './exec-probe';
import { notYet, type Probe, type ProbeTarget } from './probe';
import { readContainerFile, type Limits } from './read-file';

/**
 * The server accepts connections where it is configured to and answers a query, with the login that the backup uses: user
 * and password may be files, and the socket may want the password. The server of the entrypoint's first start is not it.
 */
export function postgresProbe(target: ProbeTarget): Probe {
  return {
    question: 'pg_isready and SELECT 1 in the container',
    ask: async () => {
      const login = await loginOf(target);
      return 'failure' in login ? notYet(login.failure) : askServer(target, login);
    },
  };
}

async function askServer(
  target: ProbeTarget,
  { user, database, env, listener }: PostgresLogin,
): ReturnType<Probe['ask']> {
  if (listener?.initialising === true) return notYet('the entrypoint still sets up the data folder of PostgreSQL');
  const address = listener === null ? '127.0.0.1' : (listener.address ?? listener.socket);
  const where = address === null ? [] : ['-h', address];
  const commands = [
    ['pg_isready', '-q', ...where, '-U', user, '-d', conninfo(database)],
    ['psql', '-X', '-q', '-w', '-U', user, '-d', conninfo(database), '-c', 'SELECT 1'],
  ];
  return execAll({ target, commands, env, success: 'PostgreSQL accepts connections and answers a query' });
}

/** A container that cannot be read now may be restarting: an answer like any other. */
async function loginOf({ engine, container }: ProbeTarget): Promise<PostgresLogin | { failure: string }> {
  try {
    return await readPostgresLogin(engine, container);
  } catch (error) {
    rethrowEngineLost(error);
    return { failure: messageOf(error) };
  }
}

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
  const content = file.startsWith('/') ? await readContainerFile(engine, id, file, SECRET) : null;
  if (content !== null) return content.toString('utf8').replace(/\n$/, '');
  // The secrets of a Swarm task are in memory, where the engine reads no archive; the socket rarely asks for the password.
  if (name === 'POSTGRES_PASSWORD') return undefined;
  throw new PilotError('backup_failed', `The file that ${name}_FILE names cannot be read in its container.`);
}

/** A database may be named so that libpq would take its name for a connection string (`a=b`, `postgres://…`). */
export function conninfo(database: string): string {
  return `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
}

/** Where a running server accepts connections, as its own postmaster.pid states. */
interface PostgresListener {
  port: string;
  /** Folder of its socket; null: it has none. */
  socket: string | null;
  /** The address at which a client in the container reaches it; null: it listens on no TCP address. */
  address: string | null;
  /** The entrypoint's own server of the first start, which is stopped again and never listens on TCP. */
  initialising: boolean;
}

const DEFAULT_DATA = '/var/lib/postgresql/data';
const SMALL: Limits = { mostBytes: 64 * 1024, refuse: (why) => new PilotError('backup_failed', why) };

/** Null: the server has not started, or its data folder cannot be read; the client's defaults apply. */
async function readPostgresListener(engine: Engine, server: ContainerInspect): Promise<PostgresListener | null> {
  const folder = environmentOf(server.Config.Env).get('PGDATA') ?? DEFAULT_DATA;
  const pid = await readText(engine, server.Id, `${folder}/postmaster.pid`);
  const found = pid === null ? null : parsePostmasterPid(pid);
  if (found === null || found.address !== null || found.pid === '1') return found;
  const options = await readText(engine, server.Id, `${folder}/postmaster.opts`);
  return { ...found, initialising: isOfEntrypoint(options ?? '') };
}

/** Pure: lines 4 to 6 are port, socket folder and first listen address (`pidfile.h`, PostgreSQL 10 to 18). */
export function parsePostmasterPid(content: string): (PostgresListener & { pid: string }) | null {
  const [pid = '', , , port = '', socket = '', address = ''] = content.split('\n').map((line) => line.trim());
  if (!/^\d+$/.test(pid) || !/^\d{1,5}$/.test(port)) return null;
  return {
    pid,
    port,
    socket: socket === '' ? null : socket,
    address: reachable(address),
    initialising: false,
  };
}

function reachable(address: string): string | null {
  if (address === '') return null;
  if (address === '::') return '::1';
  return ['*', '0.0.0.0', 'localhost'].includes(address) ? '127.0.0.1' : address;
}

/** `pg_ctl` puts `-D` first, and the entrypoint of the official image puts an empty listen_addresses and the port last. */
export function isOfEntrypoint(options: string): boolean {
  return /^\S+ "-D" .*"-c" "listen_addresses=" "-p" "\d+"\s*$/.test(options);
}

/** What libpq needs to find it. Nothing where the server could not be read. */
export function connectionOf(listener: PostgresListener | null): string[] {
  if (listener === null) return [];
  const host = listener.socket ?? listener.address;
  return [`PGPORT=${listener.port}`, ...(host === null ? [] : [`PGHOST=${host}`])];
}

async function readText(engine: Engine, id: string, path: string): Promise<string | null> {
  try {
    return (await readContainerFile(engine, id, path, SMALL))?.toString('utf8') ?? null;
  } catch (error) {
    // The engine may not read a folder that the server reads (NFS with root_squash): a client still tries the defaults.
    if (codeOf(error) === 'engine_refused' || codeOf(error) === 'backup_failed') return null;
    throw error;
  }
}
