import { listDatabases } from '../../backups/sources/postgres-source';
import { readProperties } from '../../backups/sources/database-properties';
import type { DatabaseProperties } from '../../domain/backups/backup';
import { type Facts, icuLanguageTag, type ServerState } from '../../domain/data/server-state';
import { isEngineLost, messageOf, PilotError } from '../../domain/errors';
import { BOUNDS } from '../../domain/bounds';
import type { Progress } from '../../lib/logger';
import { identifier } from '../../lib/sql-quoting';
import { readWithin } from '../../lib/streams';
import type { Engine } from '../../ports/engine';
import { conninfo, readPostgresLogin, UTF8, type PostgresLogin } from '../../probes/postgres-probe';

/** Nothing can be written, no policy hides a row, and no name is looked up where a user of the database may create one. */
const SESSION = [
  ...['default_transaction_read_only=on', 'search_path=pg_catalog', 'row_security=off', 'jit=off'],
  ...['statement_timeout=0', 'lock_timeout=60s', 'standard_conforming_strings=on', 'client_min_messages=warning'],
];
/** One command line holds 128 KiB at most. */
const AT_ONCE = 100;

interface Server {
  id: string;
  name: string;
}

/**
 * Reads all that a move to another server must keep: roles, databases, extensions, objects with their owners, rows, sequences,
 * grants, large objects. Read-only, by the login of the backup, which must be a superuser. Rejects with `restore_failed`.
 */
export async function readServerState(
  engine: Engine,
  server: Server,
  progress: Progress = () => undefined,
): Promise<ServerState> {
  const login = await readPostgresLogin(engine, await engine.inspectContainer(server.id));
  const ask = (database: string, query: string): Promise<Facts> => factsOf(engine, server, login, { database, query });
  const { version = '0' } = await ask(login.database, VERSION);
  const major = Math.floor(Number(version) / 10_000);
  const roles = await ask(login.database, [ROLES, ...(major < 15 ? [] : [PARAMETERS])].join(' UNION ALL '));
  const state: ServerState = { major, server: roles, databases: {} };
  for (const name of await listDatabases(engine, server, login)) {
    progress(`reading database ${name} of ${server.name}`);
    const catalog = await ask(name, CATALOG);
    const properties = await readProperties(engine, server.id, login, name);
    if (properties === null) throw unread(server, name, new Error('it was dropped meanwhile'));
    const contents: Facts = {};
    const queries = await countingQueries(engine, server, login, name);
    for (let at = 0; at < queries.length; at += AT_ONCE)
      Object.assign(contents, await ask(name, queries.slice(at, at + AT_ONCE).join(' UNION ALL ')));
    state.databases[name] = { ...propertiesAsFacts(properties), ...catalog, ...contents };
  }
  return state;
}

/** Settings and grants in one order, whatever order they were given in. */
function propertiesAsFacts(properties: DatabaseProperties): Facts {
  const { owner, encoding, collate, ctype, provider, locale, rules, comment, connectionLimit } = properties;
  const facts: Facts = { owner, encoding, collate, ctype, 'connection limit': String(connectionLimit) };
  if (locale !== null) facts['locale'] = provider === 'i' ? icuLanguageTag(locale) : locale;
  if (provider !== null) facts['locale provider'] = provider;
  if (rules !== null) facts['ICU rules'] = rules;
  if (comment !== null && comment !== undefined) facts['comment'] = comment;
  for (const { role, config } of properties.settings ?? [])
    for (const entry of config) {
      const of = role === null ? '' : ` of role ${role}`;
      facts[`setting ${entry.slice(0, entry.indexOf('='))}${of}`] = entry.slice(entry.indexOf('=') + 1);
    }
  const grants = (properties.grants ?? []).map(
    ({ grantee, privilege, grantable }) => `${grantee ?? 'PUBLIC'}:${privilege}${grantable ? '*' : ''}`,
  );
  facts['grants on the database'] = properties.grants === null ? 'the defaults' : grants.toSorted().join(', ');
  return facts;
}

/** One query for each table with rows of its own, and each sequence. */
async function countingQueries(
  engine: Engine,
  server: Server,
  login: PostgresLogin,
  database: string,
): Promise<string[]> {
  const listed = await factsOf(engine, server, login, { database, query: COUNTED });
  return Object.entries(listed).map(([title, value]) => {
    const [schema, name] = JSON.parse(value) as [string, string];
    const object = `${identifier(schema)}.${identifier(name)}`;
    const quoted = `'${title.replaceAll("'", "''")}'`;
    return title.startsWith('rows of ')
      ? `SELECT json_build_array(${quoted}, count(*)::text) FROM ONLY ${object}`
      : `SELECT json_build_array(${quoted}, last_value::text || CASE WHEN is_called THEN ' (used)' ELSE ' (next)' END) FROM ${object}`;
  });
}

/** `query`: each row one JSON array of title and value. */
async function factsOf(
  engine: Engine,
  server: Server,
  login: PostgresLogin,
  { database, query }: { database: string; query: string },
): Promise<Facts> {
  const flags = ['psql', '-X', '-w', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-U', login.user];
  const options = `PGOPTIONS=${SESSION.map((setting) => `-c ${setting}`).join(' ')}`;
  const env = [...login.env.filter((line) => !line.startsWith('PGOPTIONS=')), UTF8, options];
  try {
    const output = await engine.execOutput(server.id, [...flags, '-d', conninfo(database), '-c', query], { env });
    const lines = (await readWithin(output, BOUNDS.databaseContents)).toString().split('\n');
    return Object.fromEntries(lines.filter((line) => line !== '').map((line) => JSON.parse(line) as [string, string]));
  } catch (error) {
    throw unread(server, database, error);
  }
}

function unread({ name }: Server, database: string, error: unknown): unknown {
  if (isEngineLost(error)) return error;
  const message = `Database ${database} of ${name} could not be read for the comparison: ${messageOf(error)}`;
  return new PilotError('restore_failed', message, { cause: error });
}

const VERSION = `SELECT json_build_array('version', current_setting('server_version_num'))`;

/** Rights as `grantee:PRIVILEGE`, in one order; those that none has granted are written out. */
const rights = (acl: string): string =>
  `coalesce((SELECT string_agg(coalesce(g.rolname, 'PUBLIC') || ':' || a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ', '
    ORDER BY g.rolname, a.privilege_type COLLATE "C") FROM aclexplode(${acl}) a LEFT JOIN pg_roles g ON g.oid = a.grantee), '')`;

const ROLES = `SELECT json_build_array('role ' || rolname, concat_ws(' ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
    CASE WHEN rolinherit THEN 'INHERIT' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
    'limit ' || rolconnlimit, 'until ' || rolvaliduntil, 'password ' || md5(rolpassword)))
  FROM pg_authid WHERE rolname !~ '^pg_'
  UNION ALL SELECT json_build_array('membership of ' || m.rolname || ' in ' || r.rolname, CASE WHEN bool_or(a.admin_option) THEN 'with admin option' ELSE '' END)
  FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE m.rolname !~ '^pg_' GROUP BY m.rolname, r.rolname
  UNION ALL SELECT json_build_array('settings of ' || coalesce('role ' || r.rolname, 'every role'), array_to_string(ARRAY(SELECT one FROM unnest(s.setconfig) one ORDER BY one COLLATE "C"), ', '))
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = 0
  UNION ALL SELECT json_build_array('comment on role ' || r.rolname, d.description) FROM pg_shdescription d
  JOIN pg_roles r ON r.oid = d.objoid WHERE d.classoid = 'pg_authid'::regclass AND r.rolname !~ '^pg_'`;

const PARAMETERS = `SELECT json_build_array('grants on parameter ' || parname, ${rights('paracl')}) FROM pg_parameter_acl`;

/** What an extension made is the business of its version. */
const notOf = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
const USERS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
const KINDS = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
  WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'index' END`;
const owned = (of: string): string => `'owner ' || pg_get_userbyid(${of})`;
const named = `n.nspname || '.' || c.relname`;
const signature = `n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'`;

const CATALOG = `SELECT json_build_array('extension ' || extname, 'in schema ' || n.nspname) FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
  UNION ALL SELECT json_build_array('schema ' || nspname, ${owned('nspowner')} || '; ' || ${rights(`coalesce(nspacl, acldefault('n', nspowner))`)})
  FROM pg_namespace n WHERE ${USERS} AND ${notOf('pg_namespace', 'n.oid')}
  UNION ALL SELECT json_build_array(${KINDS} || ' ' || ${named}, CASE WHEN c.relkind IN ('i', 'I') THEN '' ELSE ${owned('c.relowner')} END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USERS} AND c.relkind <> 't' AND c.relpersistence <> 't' AND ${notOf('pg_class', 'c.oid')}
  UNION ALL SELECT json_build_array('grants on ' || ${KINDS} || ' ' || ${named},
    ${rights(`coalesce(c.relacl, acldefault((CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))`)})
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USERS} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't' AND ${notOf('pg_class', 'c.oid')}
  UNION ALL SELECT json_build_array('grants on column ' || ${named} || '.' || t.attname, ${rights('t.attacl')})
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USERS} AND t.attacl IS NOT NULL AND NOT t.attisdropped AND ${notOf('pg_class', 'c.oid')}
  UNION ALL SELECT json_build_array('function ' || ${signature}, ${owned('p.proowner')} || '; ' || ${rights(`coalesce(p.proacl, acldefault('f', p.proowner))`)})
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${USERS} AND ${notOf('pg_proc', 'p.oid')}
  UNION ALL SELECT json_build_array('type ' || n.nspname || '.' || t.typname, ${owned('t.typowner')} || '; ' || ${rights(`coalesce(t.typacl, acldefault('T', t.typowner))`)})
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${USERS} AND t.typtype IN ('e', 'd', 'r') AND ${notOf('pg_type', 't.oid')}
  UNION ALL SELECT json_build_array('constraint ' || o.conname || ' of ' || coalesce(${named}, 'a domain'), o.contype::text || CASE WHEN o.convalidated THEN '' ELSE ' not valid' END)
  FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace LEFT JOIN pg_class c ON c.oid = o.conrelid
  WHERE ${USERS} AND o.contype IN ('c', 'f', 'p', 'u', 'x') AND ${notOf('pg_class', 'o.conrelid')}
  UNION ALL SELECT json_build_array('trigger ' || g.tgname || ' of ' || ${named}, g.tgenabled::text)
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal AND ${USERS}
  UNION ALL SELECT json_build_array('policy ' || polname || ' of ' || ${named}, '')
  FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  UNION ALL SELECT json_build_array('default grants of ' || pg_get_userbyid(defaclrole) || coalesce(' in schema ' || n.nspname, '') || ' on ' || defaclobjtype::text, ${rights('defaclacl')})
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
  UNION ALL SELECT json_build_array('publication ' || pubname, ${owned('pubowner')}) FROM pg_publication
  UNION ALL SELECT json_build_array('event trigger ' || evtname, ${owned('evtowner')} || ' ' || evtenabled::text) FROM pg_event_trigger v WHERE ${notOf('pg_event_trigger', 'v.oid')}
  UNION ALL SELECT json_build_array('foreign server ' || srvname, ${owned('srvowner')} || '; ' || ${rights(`coalesce(srvacl, acldefault('S', srvowner))`)}) FROM pg_foreign_server
  UNION ALL SELECT json_build_array('large objects', (SELECT count(*) FROM pg_largeobject_metadata) || ' with ' || (SELECT coalesce(sum(length(data)), 0) FROM pg_largeobject) || ' bytes')
  UNION ALL SELECT json_build_array('grants on large object ' || l.oid, ${owned('l.lomowner')} || '; ' || ${rights(`coalesce(l.lomacl, acldefault('L', l.lomowner))`)})
  FROM pg_largeobject_metadata l`;

/** Not of a materialized view: a load computes it again. */
const COUNTED = `SELECT json_build_array(CASE c.relkind WHEN 'S' THEN 'position of sequence ' ELSE 'rows of table ' END || ${named},
    json_build_array(n.nspname, c.relname)::text)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USERS} AND c.relpersistence <> 't' AND ${notOf('pg_class', 'c.oid')}
    AND c.relkind IN ('r', 'S')`;
