import { once } from 'node:events';
import { PassThrough, type Readable, Transform, type TransformCallback } from 'node:stream';
import { isRestoreArtifact } from '../../domain/backups/restore-artifact-names';
import { BOUNDS } from '../../domain/bounds';
import type { Container } from '../../domain/container';
import { messageOf, PilotError } from '../../domain/errors';
import { shellWord } from '../../domain/text/shell';
import { readWithin } from '../../lib/streams';
import type { Engine } from '../../ports/engine';
import { conninfo, type PostgresLogin, readPostgresLogin, UTF8 } from '../../probes/postgres-probe';
import { readProperties } from './database-properties';
import { explainRights, HIDDEN_OBJECTS, IS_SUPERUSER, refuseHidden } from './dump-rights';
import { type Along, asBackupError, type Finding, type ItemSource } from './item-source';

const OWNER_OF_PUBLIC =
  "SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname = 'public'";
const GLOBALS_END = 'PostgreSQL database cluster dump complete';
const TAIL_LENGTH = 4096;
/** Without a limit pg_dump waits for ever, and so do the writers that were stopped for it. */
const LOCK_WAIT_MS = 5 * 60_000;

/**
 * What a database server holds: its roles, and one dump for each database that accepts connections. `compress`: left out, true;
 * false for a storage that compresses on its own. `lockWaitMs`: how long pg_dump waits for tables that others have locked.
 */
export async function databasesOf(
  engine: Engine,
  server: Container,
  { compress = true, lockWaitMs = LOCK_WAIT_MS }: { compress?: boolean; lockWaitMs?: number } = {},
): Promise<ItemSource[]> {
  const inspect = await engine.inspectContainer(server.id);
  if (!inspect.State.Running) {
    throw new PilotError(
      'backup_failed',
      `The databases of ${server.name} cannot be dumped, because the container is not running. Start it (docker start ${server.name}), or remove its label backup.kind.`,
    );
  }
  const login = await readPostgresLogin(engine, inspect);
  const names = await listDatabases(engine, server, login);
  const superuser = (await listed(engine, server, login, { query: IS_SUPERUSER })).length > 0;
  const databases: ItemSource[] = [];
  for (const name of names) {
    const properties = await readProperties(engine, server.id, login, name);
    const [ownerOfPublic = null] = await listed(engine, server, login, { query: OWNER_OF_PUBLIC, database: name });
    const database = properties === null ? null : { ...properties, ownerOfPublic };
    const hidden = superuser ? [] : await listed(engine, server, login, { query: HIDDEN_OBJECTS, database: name });
    refuseHidden(hidden, name, login.user, server.name);
    databases.push({ ...databaseOf(engine, server, login, { name, compress, lockWaitMs }), database });
  }
  return [globalsOf(engine, server, login), ...databases];
}

/** Those that accept connections, but for templates and what a restore has kept. */
export async function listDatabases(
  engine: Engine,
  server: Pick<Container, 'id' | 'name'>,
  login: PostgresLogin,
): Promise<string[]> {
  const query = 'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname';
  const names = await listed(engine, server, login, { query });
  return names.filter((name) => !isRestoreArtifact(name));
}

interface Asked {
  query: string;
  /** Left out: that of the login. */
  database?: string;
}

async function listed(
  engine: Engine,
  server: Pick<Container, 'id' | 'name'>,
  login: PostgresLogin,
  { query, database = login.database }: Asked,
): Promise<string[]> {
  const command = ['psql', '-X', '-w', '-U', login.user, '-d', conninfo(database), '-At', '-0', '-c', query];
  try {
    const output = await engine.execOutput(server.id, command, { env: [...login.env, UTF8] });
    const values = (await readWithin(output, BOUNDS.databaseCatalog)).toString();
    return values.split('\0').filter((value) => value !== '');
  } catch (error) {
    const advice = explainRights(messageOf(error), login.user, server.name) ?? adviceFor(server);
    throw asBackupError(error, `The databases of ${server.name} could not be listed`, advice);
  }
}

function globalsOf(engine: Engine, server: Container, login: PostgresLogin): ItemSource {
  const command = ['pg_dumpall', '-w', '-U', login.user, '-l', login.database, '--globals-only'];
  return {
    container: server,
    kind: 'globals',
    name: 'globals',
    compression: 'gzip',
    title: `roles of ${server.name}`,
    advice: adviceFor(server),
    explain: (words) => explainRights(words, login.user, server.name),
    open: () => engine.execOutput(server.id, command, { env: [...login.env, UTF8] }),
    along: () => readAlong(endsAsPgDumpallDoes),
  };
}

/**
 * The custom format is compressed already, unless that is switched off. At the fastest level: writers may be stopped until the
 * dump has ended, and most of the default's time goes into a few percent of its size (docs/benchmarks.md).
 */
function databaseOf(
  engine: Engine,
  server: Container,
  login: PostgresLogin,
  { name, compress, lockWaitMs }: { name: string; compress: boolean; lockWaitMs: number },
): ItemSource {
  const how = ['-Fc', compress ? '-Z1' : '-Z0', `--lock-wait-timeout=${lockWaitMs}`];
  const command = ['pg_dump', '-w', '-U', login.user, ...how, '-d', conninfo(name)];
  return {
    container: server,
    kind: 'database',
    name,
    compression: 'none',
    title: `database ${name} of ${server.name}`,
    advice: adviceFor(server),
    explain: (words) => explainLock(words, login.user, name, server) ?? explainRights(words, login.user, server.name),
    open: () => engine.execOutput(server.id, command, { env: login.env }),
    along: () => readAlong((content) => readByPgRestore(engine, server, content)),
  };
}

/** Pure. What to do when another session kept a table from being read; null: the dump failed for another reason. */
export function explainLock(
  words: string,
  user: string,
  database: string,
  { name }: Pick<Container, 'name'>,
): string | null {
  // pg_dump limits its wait by the timeout of a statement.
  if (!/timeout\b.*LOCK TABLE/s.test(words)) return null;
  // psql reads other names as connection strings; a role of the database may have chosen it.
  const isPlain = /^\w+$/.test(database);
  const query = `SELECT pid, usename, state, query FROM pg_stat_activity WHERE pid IN (SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock')`;
  return `Another session has locked a table of database ${database}: a migration under way, VACUUM FULL, or a transaction that was left open. To see who: docker exec ${shellWord(name)} psql -U ${shellWord(user)} -d ${shellWord(isPlain ? database : conninfo(database))} -c "${query}". Let it end, or end it with SELECT pg_terminate_backend(PID), and take the backup again.`;
}

/** `pg_restore -l` passes on a dump cut at 60 %; `-f /dev/null` reads it all (measured, docs/research/postgresql.md). */
export async function readByPgRestore(
  engine: Engine,
  server: Pick<Container, 'id'>,
  content: AsyncIterable<Buffer>,
): Promise<Finding> {
  const result = await feedCommand(content, (input) =>
    engine.execInput(server.id, ['pg_restore', '-f', '/dev/null'], input),
  );
  if (result.exitCode === 0) return { whole: true, words: 'pg_restore read it to its end' };
  return {
    whole: false,
    words: `pg_restore ended with code ${result.exitCode}: ${result.stderr.trim().slice(0, 500)}`,
  };
}

export async function endsAsPgDumpallDoes(content: AsyncIterable<Buffer>): Promise<Finding> {
  let tail = '';
  for await (const chunk of content) tail = (tail + chunk.toString('latin1')).slice(-TAIL_LENGTH);
  return tail.includes(GLOBALS_END)
    ? { whole: true, words: 'ends as pg_dumpall ends' }
    : { whole: false, words: 'the last line that pg_dumpall writes is missing' };
}

function adviceFor(server: Pick<Container, 'name'>): string {
  return `Look at docker logs ${server.name}; the dump is taken as POSTGRES_USER of that container.`;
}

/**
 * Feeds all of `content` to a command, with back-pressure. A command that ends before its input does is not an error here:
 * the rest of the content is still read, so that its hash covers all of it.
 */
export async function feedCommand<T>(
  content: AsyncIterable<Buffer>,
  start: (input: Readable) => Promise<T>,
): Promise<T> {
  const input = new PassThrough();
  // An input that its reader gave up shows in the command's own outcome.
  input.on('error', () => undefined);
  const outcome = start(input);
  let over = false;
  const ended = outcome.then(
    () => (over = true),
    () => (over = true),
  );
  try {
    for await (const chunk of content) {
      if (!over && !input.write(chunk)) await Promise.race([once(input, 'drain'), ended]);
    }
  } catch (error) {
    input.destroy(error as Error);
    throw error;
  }
  input.end();
  return outcome;
}

/** Hands a copy of all that passes to `read`, which reads it to its end. One that fails early does not stop the flow. */
export function readAlong(read: (content: AsyncIterable<Buffer>) => Promise<Finding>): Along {
  const through = new Tee();
  const finding = read(through.copy);
  const over = (): void => through.readerIsGone();
  finding.then(over, over);
  return { through, finding: () => finding };
}

class Tee extends Transform {
  readonly copy = new PassThrough();
  #isRead = true;
  #waiting: (() => void) | null = null;

  constructor() {
    super();
    this.copy.on('drain', () => this.#proceed());
    // It fails only with this stream, whose own error is reported.
    this.copy.on('error', () => undefined);
  }

  readerIsGone(): void {
    this.#isRead = false;
    this.#proceed();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#isRead || this.copy.write(chunk)) done(null, chunk);
    else this.#waiting = () => done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.copy.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Cut short: who reads the copy must not take it for the whole.
    if (!this.copy.writableEnded) this.copy.destroy(error ?? new Error('the reading was given up'));
    done(error);
  }

  #proceed(): void {
    const then = this.#waiting;
    this.#waiting = null;
    then?.();
  }
}
