import fc from 'fast-check';
import { listElements } from '../../src/restores/databases/postgres-sql';
import { identifier, literal } from '../../src/lib/sql-quoting';
import type { ComposeProject } from '../lab/compose';
import { runPilot } from '../support/e2e-cli';
import type { Service } from '../support/e2e-services';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// Plain roles of a real PostgreSQL try to become superuser by a backup and its restore, and names are as hostile as can be.
jest.setTimeout(900_000);

const SEED = 20261128;
const PIECES = [
  ...[
    '"',
    "'",
    ';',
    '\\',
    '\n',
    '--',
    '/*',
    '*/',
    '$$',
    ':x',
    ":'x'",
    '\\!id',
    ' ',
    '.',
    '=',
    ',',
    '{',
    '}',
    'ü',
    '雪',
  ],
  ...['DROP ROLE boss', 'SUPERUSER', 'set', 'public', '%s', '%I', '`id`', '$(id)', 'E', '\r', '\t'],
];
const names = fc
  .uniqueArray(
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map((parts) => `h${parts.join('')}`),
    { minLength: 12, maxLength: 12 },
  )
  .filter((all) => all.every((name) => Buffer.byteLength(name) < 60));
const HOSTILE = fc.sample(names, { seed: SEED, numRuns: 1 })[0] as string[];

const ATTACK = 'public;ALTER/**/ROLE/**/evil/**/SUPERUSER';
const RISE = `$$ BEGIN BEGIN EXECUTE 'ALTER ROLE evil SUPERUSER'; EXCEPTION WHEN OTHERS THEN NULL; END; RETURN`;

/** As `evil`, who may log in and owns the database that questions about the whole server are asked of. */
const BY_EVIL = `
CREATE SCHEMA evil;
CREATE SCHEMA diun_pilot_restore; CREATE SCHEMA diun_pilot_names;
CREATE FUNCTION evil.rise(int) RETURNS bool LANGUAGE plpgsql AS ${RISE} true; END $$;
CREATE TABLE evil.checked (a int CHECK (evil.rise(a)));
CREATE DOMAIN evil.risen AS int CHECK (evil.rise(VALUE));
CREATE TABLE evil.typed (a evil.risen);
INSERT INTO evil.checked VALUES (1);
INSERT INTO evil.typed VALUES (1);
CREATE FUNCTION evil.pg_get_userbyid(oid) RETURNS name LANGUAGE plpgsql AS ${RISE} 'evil'; END $$;
CREATE FUNCTION evil.pg_encoding_to_char(int) RETURNS name LANGUAGE plpgsql AS ${RISE} 'UTF8'; END $$;
SELECT set_config('search_path', ${literal(ATTACK)}, false);
ALTER ROLE evil SET search_path FROM CURRENT;
ALTER ROLE evil IN DATABASE app SET search_path FROM CURRENT;
ALTER DATABASE app SET search_path = evil, pg_catalog;
`;

function byBoss(name: string, other: string): string {
  const [role, value] = [identifier(name), literal(name)];
  return `
CREATE ROLE ${role} LOGIN CONNECTION LIMIT 3 PASSWORD ${value} VALID UNTIL 'infinity';
COMMENT ON ROLE ${role} IS ${value};
ALTER ROLE ${role} SET "my.note" TO ${value};
ALTER ROLE ${role} SET search_path TO ${value}, "$user";
ALTER ROLE ${role} IN DATABASE app SET search_path TO ${value};
ALTER ROLE ${role} IN DATABASE app SET "my.note" TO ${value};
GRANT ${role} TO ${identifier(other)} WITH ADMIN OPTION;
GRANT CONNECT, CREATE ON DATABASE app TO ${role} WITH GRANT OPTION;
CREATE SCHEMA ${role} AUTHORIZATION ${role};
CREATE COLLATION ${role}.${role} FROM "C";
CREATE TABLE ${role}.${role} (${role} text COLLATE ${role}.${role} DEFAULT ${value});
ALTER TABLE ${role}.${role} OWNER TO ${role};
COMMENT ON TABLE ${role}.${role} IS ${value};
INSERT INTO ${role}.${role} VALUES (${value});
GRANT SELECT ON ${role}.${role} TO ${identifier(other)};
`;
}

const OUTSIDE = `
CREATE ROLE boss SUPERUSER;
CREATE ROLE evil LOGIN;
ALTER DATABASE app OWNER TO evil;
CREATE EXTENSION pgcrypto SCHEMA ${identifier(HOSTILE[0] as string)};
CREATE DATABASE ${identifier(HOSTILE[1] as string)} OWNER ${identifier(HOSTILE[1] as string)};
`;

const ROLES = `SELECT json_agg(r ORDER BY r->>'rolname') FROM (SELECT to_jsonb(a) - 'oid' || jsonb_build_object(
  'note', shobj_description(a.oid, 'pg_authid'),
  'groups', (SELECT json_agg(json_build_array(pg_get_userbyid(m.roleid), m.admin_option) ORDER BY m.roleid::regrole::text)
    FROM pg_auth_members m WHERE m.member = a.oid)) r FROM pg_authid a WHERE rolname NOT LIKE 'pg\\_%') x`;
const SETTINGS = `SELECT json_agg(json_build_array(pg_get_userbyid(setrole), datname, c))
  FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) c
  WHERE datname IS NULL OR datname NOT LIKE '%diun-pilot-before%'`;
const GRANTS = `SELECT json_agg(json_build_array(pg_get_userbyid(grantee), privilege_type, is_grantable))
  FROM pg_database d, aclexplode(datacl) WHERE datname = 'app'`;
const TABLES = `SELECT json_agg(json_build_array(relname, pg_get_userbyid(relowner), obj_description(c.oid), relacl::text,
  (SELECT json_agg(json_build_array(proname, prosecdef) ORDER BY proname) FROM pg_proc p WHERE p.pronamespace = n.oid AND nspname = 'evil'))) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')`;

const stage = openStage();
let source: ComposeProject;
let dataDir: string;

const db = (): Service => ({
  image: stage.lab.images.POSTGRES_15,
  environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'x' },
  volumes: ['rows:/var/lib/postgresql/data', './sql:/sql:ro'],
  labels: { 'backup.kind': 'postgres' },
});

async function start(name: string): Promise<ComposeProject> {
  const outside = `${HOSTILE.map((one, i) => byBoss(one, i === 0 ? 'app' : (HOSTILE[i - 1] as string))).join('')}${OUTSIDE}`;
  const files = { 'sql/boss.sql': outside, 'sql/evil.sql': BY_EVIL };
  const project = await stage.project(name, { db: db() }, { top: { volumes: { rows: {} } }, files });
  await eventually('PostgreSQL answers', () => project.exec('db', 'pg_isready', '-h', '127.0.0.1', '-U', 'app'), {
    timeoutMs: 300_000,
  });
  return project;
}

async function seen(project: ComposeProject): Promise<Record<string, unknown>> {
  const ask = async (query: string): Promise<unknown> =>
    JSON.parse(
      await project.exec('db', ...['env', 'PGOPTIONS=-c search_path=pg_catalog', 'psql', '-XAtU', 'app', '-c', query]),
    );
  const settings = (await ask(SETTINGS)) as [string, string, string][];
  const split = ([role, database, entry]: [string, string, string]): unknown[] => {
    const [name, value] = [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)];
    return [role, database, name, name === 'search_path' ? listElements(value) : value];
  };
  return {
    roles: await ask(ROLES),
    settings: sorted(settings.map(split)),
    grants: sorted((await ask(GRANTS)) as unknown[]),
    tables: sorted((await ask(TABLES)) as unknown[]),
  };
}

const sorted = (rows: unknown[]): unknown[] => rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

const withoutApp = ({ roles }: Record<string, unknown>): unknown[] =>
  (roles as { rolname: string }[]).filter(({ rolname }) => rolname !== 'app');

const superusers = ({ roles }: Record<string, unknown>): unknown[] =>
  (roles as { rolname: string; rolsuper: boolean }[]).flatMap((role) => (role.rolsuper ? [role.rolname] : []));

let before: Record<string, unknown>;

beforeAll(async () => {
  source = await start('hostile');
  await source.exec('db', 'psql', '-XqU', 'app', '-v', 'ON_ERROR_STOP=1', '-f', '/sql/boss.sql');
  await source.exec('db', 'psql', '-XqU', 'evil', '-d', 'app', '-v', 'ON_ERROR_STOP=1', '-f', '/sql/evil.sql');
  dataDir = stage.lab.scratch('pilot-data');
  before = await seen(source);
  expect(superusers(before)).toEqual(['app', 'boss']);
});

it('a backup runs nothing of a plain role as superuser', async () => {
  const { code, stderr } = await runPilot(stage.lab, dataDir, ['backup', '--project', source.name]);
  expect([code, stderr]).toEqual([0, '']);
  expect(await seen(source)).toEqual(before);
});

it('a restore over the same server leaves every role as it was', async () => {
  const { code, stderr } = await runPilot(stage.lab, dataDir, ['restore', 'latest', '--yes']);
  expect([code, stderr]).toEqual([0, '']);
  expect(await seen(source)).toEqual(before);
});

it('a restore into an empty server creates the same roles, settings, grants and comments, and no other superuser', async () => {
  const empty = await start('hostile-empty');
  const args = ['restore', 'latest', '--project', empty.name, '--yes'];
  const { code, stderr } = await runPilot(stage.lab, dataDir, args);
  expect([code, stderr]).toEqual([0, '']);
  const after = await seen(empty);
  // The superuser of the new server was there already, and roles that are there stay as they are.
  expect({ ...after, roles: withoutApp(after) }).toEqual({ ...before, roles: withoutApp(before) });
  expect(superusers(after)).toEqual(['app', 'boss']);
});
