import type { ContainerInspect } from '../domain/engine-inspect';
import { environmentOf } from '../domain/recreate/environment';
import { codeOf, PilotError } from '../domain/errors';
import type { Engine } from '../ports/engine';
import { readFile, type Limits } from './read-file';

/** Where a running server accepts connections, as its own postmaster.pid states. */
export interface PostgresListener {
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
export async function readPostgresListener(engine: Engine, server: ContainerInspect): Promise<PostgresListener | null> {
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
    return (await readFile(engine, id, path, SMALL))?.toString('utf8') ?? null;
  } catch (error) {
    // The engine may not read a folder that the server reads (NFS with root_squash): a client still tries the defaults.
    if (codeOf(error) === 'engine_refused' || codeOf(error) === 'backup_failed') return null;
    throw error;
  }
}
