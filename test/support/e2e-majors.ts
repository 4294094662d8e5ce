import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ComposeProject } from '../lab/compose';
import type { Pilot } from '../lab/pilot';

const NEW_MAJOR = join(__dirname, '../../dist/decisions/new-major');

/** The environment of a diun-pilot that offers new majors, while those that operators run do not yet. */
export function withOpenGate(folder: string): Record<string, string> {
  const opens = join(folder, 'open-gate.cjs');
  writeFileSync(opens, `require(${JSON.stringify(NEW_MAJOR)}).GATE.open = true;\n`);
  return { NODE_OPTIONS: `--require=${opens}` };
}

/** Stands for the approval of a new major, which the operator gives after its rehearsal: each later request has it. */
export function approveMajors({ dataDir }: Pilot, from: string, to: string): void {
  const database = new Database(join(dataDir, 'pilot.db'));
  try {
    const newMajor = JSON.stringify({ from, to, change: null });
    database.exec(`CREATE TRIGGER approve_majors AFTER UPDATE OF plan ON updates WHEN json_extract(NEW.plan, '$.newMajor') IS NULL
      BEGIN UPDATE updates SET plan = json_set(NEW.plan, '$.newMajor', json('${newMajor}')) WHERE id = NEW.id; END`);
  } finally {
    database.close();
  }
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
CREATE TABLE "wei'rd ""name" (h hstore); INSERT INTO "wei'rd ""name" VALUES ('a=>1');
`;

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
