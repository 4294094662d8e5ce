import { z } from 'zod';
import { BOUNDS } from '../../domain/bounds';
import { messageOf, PilotError, rethrowEngineLost } from '../../domain/errors';
import { readWithin } from '../../lib/streams';
import type { Engine } from '../../ports/engine';
import { conninfo, readPostgresLogin, UTF8, type PostgresLogin } from '../../probes/postgres-probe';

const MIB = 1024 * 1024;

const texts = z.array(z.string());
const reading = z.object({
  version: z.number(),
  superuser: z.boolean(),
  /** Of template0, which is as `initdb` has made it. */
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  provider: z.string().nullable(),
  locale: z.string().nullable(),
  rules: z.string().nullable(),
  categories: z.record(z.string(), z.string()),
  checksums: z.boolean(),
  walSegment: z.number(),
  groupAccess: z.boolean(),
  directory: z.string(),
  hbaFile: z.string(),
  identFile: z.string(),
  /** Of configuration files in the data directory, in their order; the last of a name counts. */
  settings: z.array(z.object({ name: z.string(), value: z.string() })),
  bytes: z.number(),
  mostWal: z.number(),
  isStandby: z.boolean(),
  tablespaces: texts,
  closed: texts,
  slots: texts,
  prepared: texts,
  subscriptions: z.number(),
});

/** How a database cluster was made and is configured: what a new, empty one must have too. */
export interface Cluster extends Omit<z.infer<typeof reading>, 'version' | 'superuser'> {
  /** Name of its server's container. */
  name: string;
  major: number;
  login: Pick<PostgresLogin, 'user'>;
  superuser: boolean;
  /** Objects of template1 that no dump holds. */
  inTemplate: string[];
}

/** Rejects with `preflight_blocked`: the server cannot be asked. */
export async function readCluster(engine: Engine, server: { id: string; name: string }): Promise<Cluster> {
  try {
    const login = await readPostgresLogin(engine, await engine.inspectContainer(server.id));
    const ask = async (database: string, query: string): Promise<unknown> => {
      const command = ['psql', '-X', '-w', '-q', '-At', '-U', login.user, '-d', conninfo(database), '-c', query];
      const output = await engine.execOutput(server.id, command, { env: [...login.env, UTF8] });
      return JSON.parse((await readWithin(output, BOUNDS.databaseCatalog)).toString());
    };
    const { version, ...rest } = reading.parse(await ask(login.database, CLUSTER));
    const inTemplate = texts.parse(await ask('template1', IN_TEMPLATE));
    return { ...rest, inTemplate, login: { user: login.user }, name: server.name, major: Math.floor(version / 10_000) };
  } catch (error) {
    rethrowEngineLost(error);
    const message = `The set-up of ${server.name} could not be read, so a new major cannot be given the same: ${messageOf(error)}`;
    throw new PilotError('preflight_blocked', message, { cause: error });
  }
}

/** What a new major could not have as the old one has it, each as a sentence with what to do. Pure. */
export function obstaclesTo(cluster: Cluster): string[] {
  const { name, login, directory, hbaFile, identFile } = cluster;
  const outside = [hbaFile, identFile].filter((file) => file !== '' && !file.startsWith(`${directory}/`));
  const when = (is: boolean, sentence: string): string[] => (is ? [sentence] : []);
  const list = (names: readonly string[]): string => names.slice(0, 10).join(', ');
  return [
    ...when(
      !cluster.superuser,
      `User ${login.user} (POSTGRES_USER of ${name}) is not a superuser, so not everything can be read and loaded: run ALTER ROLE "${login.user}" SUPERUSER.`,
    ),
    ...when(cluster.isStandby, `${name} is a standby: update its primary, then build the standby again.`),
    ...when(
      cluster.tablespaces.length > 0,
      `${name} has tablespaces in folders of their own (${list(cluster.tablespaces)}): move their tables to pg_default first (ALTER DATABASE … SET TABLESPACE), then drop them.`,
    ),
    ...when(
      cluster.closed.length > 0,
      `No dump is taken of these databases, which are templates or accept no connections: ${list(cluster.closed)}. Drop them, or run ALTER DATABASE … WITH ALLOW_CONNECTIONS true IS_TEMPLATE false.`,
    ),
    ...when(
      cluster.inTemplate.length > 0,
      `No dump is taken of template1, and it has objects of its own: ${list(cluster.inTemplate)}. Drop them there; create them again after the update.`,
    ),
    ...when(
      cluster.slots.length > 0,
      `${name} has replication slots (${list(cluster.slots)}), and what reads from them cannot follow to another major: drop them first.`,
    ),
    ...when(
      cluster.subscriptions > 0,
      `${name} has subscriptions, which a dump leaves switched off: drop them first, and create them again after the update.`,
    ),
    ...when(
      cluster.prepared.length > 0,
      `${name} has prepared transactions (${list(cluster.prepared)}), which no dump holds: commit or roll them back first.`,
    ),
    ...when(
      outside.length > 0,
      `${list(outside)} is outside of the data directory, so the new server would accept connections before its data is loaded: move it into ${directory}.`,
    ),
  ];
}

/** The options of `initdb` for an empty cluster of the same make. Pure. */
export function initdbOptions(cluster: Cluster, toMajor: number): string[] {
  const { login, encoding, collate, ctype, provider, locale, rules, categories, checksums, walSegment } = cluster;
  const category = Object.entries(categories).map(([name, value]) => `--${name.replace('_', '-')}=${value}`);
  const icu = [`--icu-locale=${locale ?? 'und'}`, ...(rules === null ? [] : [`--icu-rules=${rules}`])];
  return [
    `--username=${login.user}`,
    `--encoding=${encoding}`,
    `--lc-collate=${collate}`,
    `--lc-ctype=${ctype}`,
    ...category,
    // The default since 16 is the libc provider only where none is built in or named.
    ...(toMajor >= 15 ? [`--locale-provider=${providerName(provider)}`] : []),
    ...(provider === 'i' ? icu : []),
    ...(provider === 'b' ? [`--builtin-locale=${locale ?? 'C'}`] : []),
    ...(checksums ? ['--data-checksums'] : toMajor >= 18 ? ['--no-data-checksums'] : []),
    `--wal-segsize=${Math.round(walSegment / MIB)}`,
    ...(cluster.groupAccess ? ['--allow-group-access'] : []),
    // Until the data is loaded and compared, only a client in the container reaches it.
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions',
  ];
}

function providerName(provider: string | null): string {
  return provider === 'i' ? 'icu' : provider === 'b' ? 'builtin' : 'libc';
}

/** Where a data directory is, and not how the server is to be: the new one has its own. */
const PLACES = ['data_directory', 'config_file', 'hba_file', 'ident_file', 'external_pid_file'];

/** The lines that the old configuration files add to those that `initdb` writes. Pure. */
export function carriedSettings({ settings, major }: Cluster): string {
  const lines = settings
    .filter(({ name }) => !PLACES.includes(name.toLowerCase()))
    .map(
      ({ name, value }) =>
        `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n')}'`,
    );
  return ['', `# As configured on PostgreSQL ${major}`, ...lines, ''].join('\n');
}

/** The data once more, its indexes among it, and the log that loading it writes. Pure. */
export function bytesNeeded({ bytes, mostWal }: Cluster): number {
  return bytes + Math.min(mostWal, bytes) + 64 * MIB;
}

const names = (select: string): string => `coalesce((SELECT json_agg(one) FROM (${select}) found(one)), '[]')`;
const bytesOf = (setting: string): string => `pg_size_bytes(current_setting('${setting}'))`;

const CLUSTER = `SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'encoding', pg_encoding_to_char(t.encoding), 'collate', t.datcollate, 'ctype', t.datctype,
  'provider', to_jsonb(t)->>'datlocprovider', 'rules', to_jsonb(t)->>'daticurules',
  'locale', coalesce(to_jsonb(t)->>'datlocale', to_jsonb(t)->>'daticulocale'),
  'categories', (SELECT json_object_agg(name, setting) FROM pg_settings
    WHERE name IN ('lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time') AND setting <> ''),
  'checksums', current_setting('data_checksums') = 'on', 'walSegment', ${bytesOf('wal_segment_size')},
  'groupAccess', current_setting('data_directory_mode') = '0750',
  'directory', current_setting('data_directory'), 'hbaFile', current_setting('hba_file'), 'identFile', current_setting('ident_file'),
  'settings', coalesce((SELECT json_agg(json_build_object('name', f.name, 'value', f.setting) ORDER BY f.seqno) FROM pg_file_settings f
    WHERE f.name IS NOT NULL AND f.error IS NULL AND f.sourcefile LIKE current_setting('data_directory') || '/%'
      AND f.sourcefile <> current_setting('data_directory') || '/postgresql.auto.conf'), '[]'),
  'bytes', (SELECT sum(pg_database_size(oid)) FROM pg_database), 'mostWal', ${bytesOf('max_wal_size')},
  'isStandby', pg_is_in_recovery(),
  'tablespaces', ${names("SELECT spcname FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')")},
  'closed', ${names("SELECT datname FROM pg_database WHERE datname NOT IN ('template0', 'template1') AND (datistemplate OR NOT datallowconn)")},
  'slots', ${names('SELECT slot_name FROM pg_replication_slots WHERE NOT temporary')},
  'prepared', ${names('SELECT gid FROM pg_prepared_xacts')},
  'subscriptions', (SELECT count(*) FROM pg_subscription))
  FROM pg_database t WHERE t.datname = 'template0'`;

/** Objects from 16384 on are not of `initdb`. */
const IN_TEMPLATE = `SELECT ${names(`SELECT relname::text FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  UNION ALL SELECT proname::text FROM pg_proc WHERE oid >= 16384 UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE oid >= 16384
  UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384`)}`;
