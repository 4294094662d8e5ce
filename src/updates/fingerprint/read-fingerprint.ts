import { z } from 'zod';
import { listDatabases } from '../../backups/sources/postgres-source';
import {
  databaseTitle,
  OBJECT_KINDS,
  serverTitle,
  type DatabaseFingerprint,
  type DatabaseServer,
  type DataFingerprint,
  type MigrationTable,
} from '../../domain/data/data-fingerprint';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import type { Progress } from '../../lib/logger';
import type { Engine } from '../../ports/engine';
import { conninfo, readPostgresLogin, type PostgresLogin } from '../../probes/postgres-probe';
import { CATALOG_QUERY } from './catalog-query';
import { contentsQuery, isWhole } from './contents-query';

const READ_WITHIN_MS = 60_000;
const BYTES_AT_MOST = 16 * 1024 * 1024;
const DATABASES_AT_MOST = 50;

/** Nothing can be written, no lock is waited for, and no name is looked up where a user of the database may create one. */
const SESSION = [
  'default_transaction_read_only=on',
  'statement_timeout=20s',
  'lock_timeout=5s',
  'search_path=pg_catalog',
  'row_security=off',
  'jit=off',
];

const objects = z.object({
  count: z.number(),
  hash: z.string(),
  names: z.record(z.string(), z.string()).nullable(),
});
const catalog = z.object({
  kinds: z.partialRecord(z.enum(OBJECT_KINDS), objects).nullable(),
  versioned: z
    .array(
      z.object({
        schema: z.string(),
        table: z.string(),
        title: z.string(),
        value: z.string().nullable(),
        rank: z.string().nullable(),
      }),
    )
    .nullable(),
});
const contents = z.array(
  z.object({ title: z.string(), rows: z.number(), last: z.string().nullable(), hash: z.string().nullable() }),
);

/**
 * Reads what an update can change in the databases of these servers: by the login of the backup, read-only, bounded in time
 * and size. A server or database that cannot be read is a part of the result. Rejects only with `engine_unreachable`.
 */
export async function readFingerprint(
  engine: Engine,
  servers: readonly DatabaseServer[],
  progress: Progress,
): Promise<DataFingerprint> {
  const fingerprint: DataFingerprint = { servers: [...servers], databases: [], unread: [] };
  const tryTo = async (what: string, read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      rethrowEngineLost(error);
      fingerprint.unread.push({ what, why: messageOf(error) });
    }
  };
  for (const server of servers) {
    await tryTo(serverTitle(server.name), async () => {
      const login = await readPostgresLogin(engine, await engine.inspectContainer(server.id));
      const names = await listDatabases(engine, server, login);
      for (const database of names.slice(0, DATABASES_AT_MOST)) {
        const title = databaseTitle({ server: server.name, database });
        progress(`reading the schema of ${title}`);
        await tryTo(
          title,
          async () => void fingerprint.databases.push(await readDatabase(engine, server, login, database)),
        );
      }
      for (const database of names.slice(DATABASES_AT_MOST)) {
        const why = `only the first ${DATABASES_AT_MOST} databases of a server are read`;
        fingerprint.unread.push({ what: databaseTitle({ server: server.name, database }), why });
      }
    });
  }
  return fingerprint;
}

async function readDatabase(
  engine: Engine,
  server: DatabaseServer,
  login: PostgresLogin,
  database: string,
): Promise<DatabaseFingerprint> {
  const ask = async (query: string): Promise<unknown> =>
    JSON.parse(await outputOf(engine, server.id, login, database, query));
  const { kinds, versioned } = catalog.parse(await ask(CATALOG_QUERY));
  return {
    server: server.name,
    database,
    objects: kinds ?? {},
    migrations: versioned === null ? {} : migrationsOf(contents.parse(await ask(contentsQuery(versioned)))),
  };
}

function migrationsOf(tables: z.infer<typeof contents>): Record<string, MigrationTable> {
  return Object.fromEntries(
    tables.map(({ title, rows, last, hash }) => [
      title,
      isWhole(rows) ? { rows, hash, last } : { rows: null, hash: null, last },
    ]),
  );
}

async function outputOf(
  engine: Engine,
  id: string,
  login: PostgresLogin,
  database: string,
  query: string,
): Promise<string> {
  const command = [
    'psql',
    '-X',
    '-w',
    '-q',
    '-At',
    '-v',
    'ON_ERROR_STOP=1',
    '-U',
    login.user,
    '-d',
    conninfo(database),
  ];
  const env = [
    // Of two values of one variable the first would count.
    ...login.env.filter((line) => !line.startsWith('PGOPTIONS=')),
    'PGCONNECT_TIMEOUT=10',
    `PGOPTIONS=${SESSION.map((setting) => `-c ${setting}`).join(' ')}`,
  ];
  const signal = AbortSignal.timeout(READ_WITHIN_MS);
  try {
    return await wholeText(await engine.execOutput(id, [...command, '-c', query], { env, signal }));
  } catch (error) {
    // A connection that was cut for being slow must not look like an engine that is gone.
    if (!signal.aborted) throw error;
    throw new PilotError('exec_failed', `psql did not answer within ${READ_WITHIN_MS / 1000} s`, { cause: error });
  }
}

async function wholeText(output: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of output) {
    bytes += chunk.length;
    if (bytes > BYTES_AT_MOST) throw new PilotError('exec_failed', 'its catalog is too large to be compared');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
