import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';
import type { UpdateTold } from './e2e-updates';
import { eventually } from './eventually';

export const DATA = '/var/lib/postgresql/data';
const WITHIN_MS = 900_000;

/** The operator requests an update; of one that waits for approval this is the approval. */
export async function requestFrom(pilot: Pilot, container: string, image?: string): Promise<UpdateTold> {
  const answer = await pilot.request('/updates', { method: 'POST', body: JSON.stringify({ container, image }) });
  expect([answer.status, await answer.clone().text()]).toEqual([202, expect.anything()]);
  return (await answer.json()) as UpdateTold;
}

/** The update once its newest rehearsal has ended. */
export function rehearsed(pilot: Pilot, id: string): Promise<UpdateTold> {
  return eventually(
    `the rehearsal of ${id} ends`,
    async () => {
      const update = (await pilot.get(`/updates/${id}`)) as UpdateTold;
      if (update['rehearsal']?.finishedAt && update['rehearsal'].status !== 'running') return update;
      throw new Error(JSON.stringify(update['rehearsal']));
    },
    { timeoutMs: WITHIN_MS },
  );
}

/** A new major, requested and rehearsed with success. Resolves with its id. */
export async function readyToApprove(pilot: Pilot, container: string): Promise<string> {
  const { id, status } = await requestFrom(pilot, container);
  expect(status).toBe('awaiting_approval');
  const { rehearsal } = await rehearsed(pilot, String(id));
  if (rehearsal?.status !== 'passed') throw new Error(`the rehearsal: ${rehearsal?.status}, ${rehearsal?.detail}`);
  return String(id);
}

/** Approved by the API, and started. */
export async function approve(pilot: Pilot, container: string, id: string): Promise<void> {
  const update = await requestFrom(pilot, container);
  expect(update).toMatchObject({ id, approval: { status: 'approved', decidedBy: 'api' } });
}

/** What an operator has on a server after some years. `megabytes`: of rows. */
export const seed = (megabytes: number): string => `
CREATE ROLE readers; CREATE ROLE reader LOGIN PASSWORD 'lesen' IN ROLE readers; CREATE ROLE shopkeeper LOGIN PASSWORD 'laden' CREATEDB;
ALTER ROLE reader SET statement_timeout = '7s'; GRANT readers TO shopkeeper WITH ADMIN OPTION;
ALTER SYSTEM SET work_mem = '7MB';
CREATE DATABASE shop OWNER shopkeeper; ALTER DATABASE shop SET lock_timeout = '9s';
REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO readers;
\\c shop
CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto; CREATE EXTENSION btree_gist;
SET ROLE shopkeeper;
CREATE SCHEMA sales;
CREATE FUNCTION sales.net(price numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT round(price / 1.19, 2)';
CREATE TYPE sales.state AS ENUM ('open', 'paid');
CREATE TABLE sales.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state sales.state NOT NULL DEFAULT 'open', price numeric CHECK (price > 0),
  net numeric GENERATED ALWAYS AS (sales.net(price)) STORED, note text);
INSERT INTO sales.orders (price, note) SELECT n, repeat(md5(n::text), 24) FROM generate_series(1, ${megabytes * 1200}) n;
CREATE INDEX ON sales.orders (net); CREATE SEQUENCE sales.numbers START 1000 INCREMENT 7; SELECT nextval('sales.numbers'), nextval('sales.numbers');
CREATE VIEW sales.open AS SELECT * FROM sales.orders WHERE state = 'open';
CREATE MATERIALIZED VIEW sales.sums AS SELECT state, sum(net) FROM sales.orders GROUP BY 1;
CREATE TABLE sales.years (year int, total numeric) PARTITION BY RANGE (year); CREATE TABLE sales.y2025 PARTITION OF sales.years FOR VALUES FROM (2025) TO (2026);
INSERT INTO sales.years VALUES (2025, 12);
GRANT USAGE ON SCHEMA sales TO readers; GRANT SELECT ON ALL TABLES IN SCHEMA sales TO readers; GRANT UPDATE (note) ON sales.orders TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO readers;
ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON sales.orders FOR SELECT TO readers USING (state = 'open');
SELECT lo_from_bytea(4711, decode(repeat('c0ffee', 5000), 'hex')); GRANT SELECT ON LARGE OBJECT 4711 TO reader;
RESET ROLE;
CREATE DATABASE "öffentlich"; -- Its schema public as one that comes from 14 or older.
CREATE TABLE "wei'rd ""name" (h hstore); INSERT INTO "wei'rd ""name" VALUES ('a=>1');
\\c "öffentlich"
ALTER SCHEMA public OWNER TO app; GRANT ALL ON SCHEMA public TO PUBLIC;
`;

/** More databases, one of them in an order of ICU and without a schema public, and rows in many tables. */
const archive = (megabytes: number): string => `
CREATE DATABASE "wörter" TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' LC_COLLATE 'C' LC_CTYPE 'C' OWNER shopkeeper;
CREATE DATABASE archive OWNER shopkeeper; ALTER ROLE reader IN DATABASE archive SET search_path = papers;
\\c "wörter"
DROP SCHEMA public; CREATE SCHEMA words; CREATE EXTENSION citext SCHEMA words;
CREATE COLLATION words.swedish (provider = icu, locale = 'sv-u-ks-level2', deterministic = false);
CREATE TABLE words.list (id bigserial PRIMARY KEY, word text UNIQUE, loud words.citext, swedish text COLLATE words.swedish);
INSERT INTO words.list (word, loud, swedish) SELECT w, upper(w), w FROM unnest(ARRAY['Zebra', 'Äpfel', 'a10', 'a9', 'ärger', 'zu']) w;
CREATE INDEX ON words.list (swedish); GRANT USAGE ON SCHEMA words TO readers; GRANT SELECT (word) ON words.list TO readers;
\\c archive
CREATE EXTENSION pg_trgm; SET ROLE shopkeeper; CREATE SCHEMA papers;
DO $$ BEGIN FOR n IN 1..40 LOOP
  EXECUTE format('CREATE TABLE papers.year_%s (id int GENERATED BY DEFAULT AS IDENTITY (START %s) PRIMARY KEY, text text, size int GENERATED ALWAYS AS (length(text)) STORED)', n, n * 100);
  EXECUTE format('INSERT INTO papers.year_%s (text) SELECT repeat(md5((n * %s)::text), 30) FROM generate_series(1, %s) n', n, n, ${megabytes} * 25);
  EXECUTE format('GRANT SELECT, INSERT ON papers.year_%s TO readers WITH GRANT OPTION', n);
END LOOP; END $$;
ALTER TABLE papers.year_2 ADD FOREIGN KEY (id) REFERENCES papers.year_2; CREATE INDEX ON papers.year_1 USING gin (left(text, 40) gin_trgm_ops);
SELECT lo_from_bytea(0, decode(repeat(md5(n::text), 4000), 'hex')) FROM generate_series(1, 50) n;
REVOKE ALL ON FUNCTION similarity(text, text) FROM PUBLIC;
`;

/** About 100 MB in five databases. */
export const largeSeed = (): string => `${seed(60)}${archive(35)}`;

/** As the server shows them: owner and rights of schema public. */
export const RIGHTS_ON_PUBLIC = "SELECT nspowner::regrole, nspacl::text FROM pg_namespace WHERE nspname = 'public'";

/** What must be the same on both majors, asked in other ways than diun-pilot does: contents by their hashes. */
export const CONTENTS = `SELECT md5(string_agg(o::text, '|' ORDER BY id)) FROM sales.orders o;
SELECT count(*), sum(net), max(id) FROM sales.orders; SELECT * FROM sales.sums; SELECT * FROM sales.years; SELECT * FROM "wei'rd ""name";
SELECT last_value, is_called FROM sales.numbers; SELECT md5(lo_get(4711)); SELECT lomacl::text, lomowner::regrole FROM pg_largeobject_metadata;
SELECT extname FROM pg_extension ORDER BY 1; SELECT rolname, rolpassword, rolcreatedb FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1;
SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members WHERE roleid >= 16384 ORDER BY 1, 2;
SELECT datname, datdba::regrole, datacl::text, encoding, datcollate FROM pg_database WHERE datname !~ '^template' ORDER BY 1;
SELECT setdatabase <> 0, setrole::regrole, setconfig FROM pg_db_role_setting ORDER BY 3;
SELECT attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid = 'sales.orders'::regclass;
SELECT polname, polcmd FROM pg_policy; SHOW work_mem; SHOW lock_timeout; SHOW data_checksums; SHOW shared_buffers;`;

/** Of one database: every table's rows, positions of sequences, rights by the standard's own views, large objects. */
const EVERYTHING = `SELECT table_schema, table_name, (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', table_schema, table_name), false, true, '')))[1]
  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema !~ '^(pg_|information_schema)' ORDER BY 1, 2;
SELECT schemaname, sequencename, sequenceowner, last_value, start_value, increment_by FROM pg_sequences ORDER BY 1, 2;
SELECT grantor, grantee, table_schema, table_name, privilege_type, is_grantable FROM information_schema.table_privileges
  WHERE table_schema !~ '^(pg_|information_schema)' ORDER BY 1, 2, 3, 4, 5;
SELECT grantee, table_schema, table_name, column_name, privilege_type FROM information_schema.column_privileges
  WHERE table_schema !~ '^(pg_|information_schema)' ORDER BY 1, 2, 3, 4, 5;
SELECT n.nspname, nspowner::regrole, nspacl::text FROM pg_namespace n WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1;
SELECT extname, nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1;
SELECT count(*), sum(length(lo_get(oid))), md5(string_agg(md5(lo_get(oid)), '' ORDER BY oid)) FROM pg_largeobject_metadata;
SELECT collname, collprovider, collisdeterministic FROM pg_collation WHERE oid >= 16384 ORDER BY 1;
SELECT to_jsonb(d)->>'datlocprovider', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'), datcollate FROM pg_database d WHERE datname = current_database();`;

/** Of the database that is in an order of ICU: the order itself, and what a role may read. */
export const WORDS = `SELECT string_agg(word, ',' ORDER BY word), string_agg(swedish, ',' ORDER BY swedish), count(*) FILTER (WHERE loud = 'zebra') FROM words.list;
SELECT has_column_privilege('reader', 'words.list', 'word', 'SELECT'), has_column_privilege('reader', 'words.list', 'loud', 'SELECT');`;

/** Megabytes of all databases, and what is in these. */
export async function everythingOf(
  project: ComposeProject,
  databases: readonly string[],
): Promise<{ megabytes: number; contents: string }> {
  const bytes = await psql(
    project,
    'app',
    'SELECT sum(pg_database_size(oid)) FROM pg_database WHERE NOT datistemplate',
  );
  const contents = await Promise.all(databases.map((name) => psql(project, name, EVERYTHING)));
  return { megabytes: Number(bytes) / 1024 / 1024, contents: contents.join('\n\n') };
}

/** The first column of what psql prints, as the superuser of the server. */
export const psql = (project: ComposeProject, database: string, sql: string): Promise<string> =>
  project.compose([
    'exec',
    '-T',
    'db',
    'psql',
    '-XAt',
    '-v',
    'ON_ERROR_STOP=1',
    '-U',
    'app',
    '-d',
    database,
    '-c',
    sql,
  ]);

/** As the superuser, and ready: `ALTER SYSTEM` has taken effect. */
export async function runSql(project: ComposeProject, sql: string): Promise<void> {
  const script = `cat > /tmp/seed.sql <<'END'\n${sql}\nEND\npsql -qX -v ON_ERROR_STOP=1 -U app -d app -f /tmp/seed.sql`;
  await project.compose(['exec', '-T', 'db', 'sh', '-c', script]);
  await psql(project, 'app', 'SELECT pg_reload_conf()');
}
