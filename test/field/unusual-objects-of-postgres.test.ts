import type { ComposeProject } from '../lab/compose';
import { runPilot } from '../support/e2e-cli';
import { openStage } from '../support/e2e-stage';
import { eventually } from '../support/eventually';

// Objects that few tests of backup tools have: each database is compared by a complete dump, before and after a restore.
const stage = openStage();
const DATABASES = ['app', 'app_icu', 'app_builtin'];
let project: ComposeProject;
let dataDir: string;

const cli = (...args: string[]) => runPilot(stage.lab, dataDir, args);
const inServer = (...command: string[]): Promise<string> => project.compose(['exec', '-T', 'db', ...command]);
const asRoot = (script: string): Promise<string> =>
  project.compose(['exec', '-T', '-u', '0', 'db', 'sh', '-c', script]);
const sql = (statements: string, database = 'app', user = 'app'): Promise<string> =>
  inServer('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-U', user, '-d', database, '-c', statements);

/** All that pg_dump knows, without the key that it makes up each time. */
async function dumped(): Promise<string[]> {
  const dumps = await Promise.all(DATABASES.map((name) => inServer('pg_dump', '-U', 'app', '-C', name)));
  return dumps.map((dump) => dump.replace(/^\\(un)?restrict .*$/gm, ''));
}

const SERVER = [
  "CREATE ROLE clerk LOGIN PASSWORD 'x'",
  `CREATE DATABASE app_icu OWNER clerk TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LOCALE 'C.UTF-8' ICU_RULES '&a < g'`,
  "CREATE DATABASE app_builtin TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C.UTF-8' CONNECTION LIMIT 7",
  "COMMENT ON DATABASE app IS 'the ''shop''; of all'",
  'ALTER DATABASE app SET app.note TO \'a, "b"\'',
];

const OBJECTS = `
  CREATE TABLE audit (n serial, tag text);
  CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.audit (tag) VALUES (tg_tag); END $f$;
  CREATE FUNCTION no_drop() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'nothing is dropped here'; END $f$;
  CREATE TABLE goods (id int GENERATED ALWAYS AS IDENTITY, net numeric NOT NULL, gross numeric GENERATED ALWAYS AS (net * 1.19) STORED, owner name DEFAULT current_user);
  INSERT INTO goods (net, owner) SELECT n, CASE WHEN n % 2 = 0 THEN 'clerk' ELSE 'app' END FROM generate_series(1, 50) n;
  ALTER TABLE goods OWNER TO clerk; ALTER TABLE goods ENABLE ROW LEVEL SECURITY; ALTER TABLE goods FORCE ROW LEVEL SECURITY;
  CREATE POLICY own ON goods USING (owner = current_user) WITH CHECK (net > 0);
  CREATE PUBLICATION a_few FOR TABLE goods (id, net) WHERE (net > 3); CREATE PUBLICATION all_of_it FOR ALL TABLES;
  CREATE EXTENSION postgres_fdw; CREATE EXTENSION pg_trgm;
  CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'other', dbname 'x');
  CREATE USER MAPPING FOR clerk SERVER other OPTIONS (user 'u', password 'p''w');
  CREATE FOREIGN TABLE far (a int) SERVER other;
  SELECT lo_from_bytea(4711, 'large'); ALTER LARGE OBJECT 4711 OWNER TO clerk; GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC; COMMENT ON LARGE OBJECT 4711 IS 'lo';
  CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TYPE mood AS ENUM ('b', 'a'); CREATE TYPE pair AS (a int, b mood); CREATE DOMAIN positive AS int CHECK (value > 0);
  CREATE TABLE parts (k positive, m mood, p pair, t text COLLATE blind) PARTITION BY LIST (m);
  CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a'); CREATE UNLOGGED TABLE parts_rest (LIKE parts); ALTER TABLE parts ATTACH PARTITION parts_rest DEFAULT;
  INSERT INTO parts VALUES (1, 'a', (1, 'b'), 'Ä'), (2, 'b', NULL, 'ä');
  CREATE UNIQUE INDEX ON parts_a (t); CREATE INDEX trigrams ON parts_rest USING gin (t gin_trgm_ops);
  CREATE STATISTICS both_columns ON k, m FROM parts_a;
  CREATE MATERIALIZED VIEW sums AS SELECT m, count(*) FROM parts GROUP BY m; CREATE RULE quiet AS ON DELETE TO parts_a DO INSTEAD NOTHING;
  CREATE TABLE slots (during int4range, EXCLUDE USING gist (during WITH &&)); INSERT INTO slots VALUES ('[1,3)');
  ALTER DEFAULT PRIVILEGES FOR ROLE clerk IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
  CREATE SUBSCRIPTION from_other CONNECTION 'host=nowhere dbname=x' PUBLICATION all_of_it WITH (connect = false);
  CREATE SCHEMA "odd ""name"" ä"; CREATE TABLE "odd ""name"" ä"."t;--" ("c'" bytea); INSERT INTO "odd ""name"" ä"."t;--" VALUES ('\\\\x00ff');
  CREATE EVENT TRIGGER logs ON ddl_command_end EXECUTE FUNCTION log_ddl(); CREATE EVENT TRIGGER keeps ON sql_drop EXECUTE FUNCTION no_drop();`;

/** As pg_cron: it can exist only in the database that the server is configured for, and its rows are data. */
const ONE_DATABASE_ONLY = `cd /usr/share/postgresql/17/extension
  printf "default_version = '1'\\nschema = pg_catalog\\nrelocatable = false\\n" > clockwork.control
  cat > clockwork--1.sql <<'SQL'
  DO $do$ BEGIN IF current_database() <> 'app_builtin' THEN RAISE EXCEPTION 'can only create extension in database app_builtin'; END IF; END $do$;
  CREATE SCHEMA clockwork; CREATE TABLE clockwork.job (command text); SELECT pg_extension_config_dump('clockwork.job', '');
SQL`;

beforeAll(async () => {
  dataDir = stage.lab.scratch('pilot-data');
  const db = {
    image: stage.lab.images.POSTGRES_17,
    command: ['postgres', '-c', 'wal_level=logical', '-c', 'fsync=off', '-c', 'max_logical_replication_workers=0'],
    environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
    labels: { 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    volumes: ['rows:/var/lib/postgresql/data'],
  };
  project = await stage.project('objects', { db }, { top: { volumes: { rows: {} } } });
  await eventually('the server answers', () => inServer('pg_isready', '-h', '127.0.0.1', '-U', 'app'));
  for (const statement of SERVER) await sql(statement);
  await sql(OBJECTS);
  await sql('CREATE TABLE words (w text); INSERT INTO words VALUES ($$g$$), ($$b$$), ($$a$$), ($$ä$$)', 'app_icu');
  await asRoot(ONE_DATABASE_ONLY);
  await sql("CREATE EXTENSION clockwork; INSERT INTO clockwork.job VALUES ('VACUUM')", 'app_builtin');
});

test('every object comes back as it was, an extension that can exist in only one database too', async () => {
  const before = await dumped();
  expect(before[0]).toMatch(
    /CREATE EVENT TRIGGER keeps[\s\S]*CREATE SUBSCRIPTION|CREATE SUBSCRIPTION[\s\S]*CREATE EVENT TRIGGER/,
  );
  const backup = await cli('backup', '--project', project.name, '--json');
  expect([backup.code, backup.stderr]).toEqual([0, expect.any(String)]);

  await sql('ALTER EVENT TRIGGER keeps DISABLE; SELECT lo_unlink(4711); DROP SERVER other CASCADE; DROP TABLE slots');
  await sql('DELETE FROM words', 'app_icu');
  await sql('DELETE FROM clockwork.job', 'app_builtin');
  const restored = await cli('restore', 'latest', '--yes');
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  expect(await dumped()).toEqual(before);
  expect(await sql("SELECT string_agg(w, '' ORDER BY w) FROM words", 'app_icu')).toBe('aägb');
});
