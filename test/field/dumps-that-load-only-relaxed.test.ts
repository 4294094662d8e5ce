import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { readContainers } from '../../src/containers/read-containers';
import { systemClock } from '../../src/lib/clock';
import { waitUntilHealthy } from '../../src/probes/wait-until-healthy';
import type { Engine } from '../../src/ports/engine';
import { checkProperties } from '../../src/restores/databases/check-databases';
import { END_FIND_NAMES, END_GUARD, FIND_NAMES, guardLoad, loadDump } from '../../src/restores/databases/load-dump';
import { createDatabase, dropDatabase } from '../../src/restores/databases/postgres-sql';
import { psqlOf, type Psql } from '../../src/restores/databases/psql';
import { openStage } from '../support/e2e-stage';

// Good dumps that one strict transaction with an empty search_path cannot load (earthdistance, thousands of tables).
const stage = openStage();
let engine: Engine;
let server: { id: string; name: string };
let psql: Psql;

beforeAll(async () => {
  const db = {
    image: stage.lab.images.POSTGRES_15,
    command: ['postgres', '-c', 'max_locks_per_transaction=10', '-c', 'max_connections=10', '-c', 'fsync=off'],
    environment: { POSTGRES_USER: 'app', POSTGRES_PASSWORD: 'geheim' },
    labels: { 'backup.kind': 'postgres' },
  };
  const { name } = await stage.project('relaxed', { db });
  engine = createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null });
  const found = (await readContainers(engine, null)).find((one) => one.name === `${name}-db-1`);
  if (found === undefined) throw new Error('no database container');
  server = found;
  const probe = { kind: 'postgres' } as const;
  const question = { engine, selfId: null, clock: systemClock, containerId: server.id, probe, timeoutMs: 180_000 };
  await waitUntilHealthy(question);
  psql = await psqlOf(engine, server);
});

async function dumpOf(name: string, statements: string): Promise<void> {
  await psql.run([createDatabase(name, null)]);
  await psql.script(statements, name);
  const dump = await engine.exec(server.id, ['pg_dump', '-U', 'app', '-Fc', '-f', `/tmp/${name}`, name], { env: [] });
  expect(dump).toMatchObject({ exitCode: 0 });
}

async function loaded(name: string) {
  let named = false;
  const result = await loadDump({
    prepare: async (relaxed) => {
      await psql.run([dropDatabase('fresh'), createDatabase('fresh', null)]);
      expect(await guardLoad(psql, 'fresh')).toBe(true);
      named = relaxed.includes('search_path');
      if (named) await psql.script(FIND_NAMES, 'fresh');
    },
    load: (flags) =>
      engine.exec(server.id, ['pg_restore', '-U', 'app', '-d', 'fresh', ...flags, `/tmp/${name}`], { env: [] }),
  });
  await psql.script(END_GUARD, 'fresh');
  if (named) await psql.script(END_FIND_NAMES, 'fresh');
  return result;
}

async function inFresh(query: string): Promise<string> {
  const asked = await engine.exec(server.id, ['psql', '-U', 'app', '-d', 'fresh', '-XAtc', query], { env: [] });
  return asked.stdout.trim();
}

test('an index on a function that uses names without a schema', async () => {
  await dumpOf(
    'places',
    `SET search_path = public; CREATE FUNCTION public.half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n / 2';
     CREATE FUNCTION public.quarter(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT half(half(n))';
     CREATE TABLE public.place AS SELECT n FROM generate_series(1, 100) n;
     CREATE INDEX quarters ON public.place (public.quarter(n));`,
  );
  const result = await loaded('places');
  expect(result).toMatchObject({ exitCode: 0, relaxed: expect.stringContaining('search_path') });
  expect(await inFresh('SELECT count(*) FROM place WHERE quarter(n) = 5')).toBe('4');
  expect(await inFresh("SELECT count(*) FROM pg_proc WHERE proconfig IS NOT NULL AND proname = 'quarter'")).toBe('0');
  expect(await inFresh("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'diun%'")).toBe('0');
});

test('an index on ll_to_earth of earthdistance', async () => {
  await dumpOf(
    'earth',
    `CREATE EXTENSION cube SCHEMA public; CREATE EXTENSION earthdistance SCHEMA public;
     CREATE TABLE public.spot (lat float8, lon float8); INSERT INTO public.spot VALUES (52.5, 13.4);
     SET search_path = public; CREATE INDEX spots ON spot USING gist (ll_to_earth(lat, lon));`,
  );
  const result = await loaded('earth');
  expect(result).toMatchObject({ exitCode: 0, relaxed: expect.stringContaining('search_path') });
  expect(await inFresh("SELECT count(*) FROM pg_proc WHERE proname = 'll_to_earth' AND proconfig IS NOT NULL")).toBe(
    '0',
  );
});

test('more tables than one transaction can lock', async () => {
  const twenty = (from: number): string =>
    `DO $$ BEGIN FOR i IN ${from}..${from + 19} LOOP EXECUTE format('CREATE TABLE public.t%s (n int PRIMARY KEY, a text UNIQUE, b text UNIQUE)', i); END LOOP; END $$`;
  await psql.run([createDatabase('many', null)]);
  for (let from = 0; from < 180; from += 20) await psql.script(twenty(from), 'many');
  const dump = await engine.exec(server.id, ['pg_dump', '-U', 'app', '-Fc', '-f', '/tmp/many', 'many'], { env: [] });
  expect(dump).toMatchObject({ exitCode: 0 });
  const result = await loaded('many');
  expect(result).toMatchObject({ exitCode: 0, relaxed: expect.stringContaining('several transactions') });
  expect(await inFresh("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).toBe('180');
});

test('settings that the server does not know are refused before anything is stopped', async () => {
  const config = ['work_mem=8MB', 'made_up=1', 'search_path="$user", public', 'my.note=x'];
  const rest = { owner: 'app', encoding: 'UTF8', collate: 'C', ctype: 'C', provider: 'c', locale: null, rules: null };
  const properties = { ...rest, connectionLimit: -1, grants: null, settings: [{ role: null, config }] };
  const refused = { code: 'restore_refused', message: expect.stringContaining('does not know: made_up.') as string };
  await expect(checkProperties(engine, server, 'app', properties)).rejects.toMatchObject(refused);
  const known = { ...properties, settings: [{ role: null, config: config.filter((one) => !one.startsWith('made')) }] };
  await expect(checkProperties(engine, server, 'app', known)).resolves.toBeUndefined();
});
