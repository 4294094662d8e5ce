import { composeChangeText, needsDumps, newMajorByTags, newMajorOf } from '../../../../src/domain/plan/postgres-major';
import type { Mount } from '../../../../src/domain/engine-inspect';

const DATA = '/var/lib/postgresql/data';
const OF_18 = ['PG_MAJOR=18', 'PGDATA=/var/lib/postgresql/18/docker'];
const volume = (Name: string, Destination = DATA): Mount => ({
  ...{ Type: 'volume', Name, Source: `/engine/volumes/${Name}`, Destination, Mode: 'z', RW: true },
});

interface Given {
  env?: string[];
  imageEnv?: string[];
  mounts?: Mount[];
}

const of = ({
  env = ['PG_MAJOR=15', `PGDATA=${DATA}`],
  imageEnv = env,
  mounts = [volume('shop_rows')],
}: Given = {}) => ({
  imageEnv,
  container: {
    Name: '/shop-db-1',
    Mounts: mounts,
    Config: {
      Image: 'postgres:15',
      Env: env,
      Labels: {
        'com.docker.compose.project': 'shop',
        'com.docker.compose.service': 'db',
        'com.docker.compose.project.working_dir': '/srv/shop',
      },
    },
  },
});

test('a newer major is known by the environment of both images', () => {
  expect(newMajorOf(of(), ['PG_MAJOR=17', `PGDATA=${DATA}`])).toEqual({ from: '15', to: '17', change: null });
  expect(newMajorOf(of({ env: ['PG_MAJOR=9'] }), ['PG_MAJOR=10'])).toMatchObject({ from: '9', to: '10' });
  for (const other of [['PG_MAJOR=15'], ['PG_MAJOR=14'], ['LANG=C']]) expect(newMajorOf(of(), other)).toBeNull();
  expect(newMajorOf(of({ env: ['LANG=C'] }), ['PG_MAJOR=17'])).toBeNull();
});

test('by the tags, only those of the official image count', () => {
  expect(newMajorByTags('postgres:15.6', 'docker.io/library/postgres:17-trixie')).toEqual({
    from: '15',
    to: '17',
    change: null,
  });
  for (const [from, to] of [
    ['postgres:15.6', 'postgres:15.7'],
    ['postgres:17', 'postgres:15'],
    ['postgres:latest', 'postgres:17'],
    ['timescale/timescaledb:2.17.2-pg16', 'timescale/timescaledb:3.0.0-pg17'],
  ] as const)
    expect(newMajorByTags(from, to)).toBeNull();
});

describe('from 18 on the image keeps its data elsewhere', () => {
  test('the plan has the line for the compose file, with which both versions use the same place', () => {
    const change = newMajorOf(of(), OF_18)?.change ?? null;
    expect(change?.add).toEqual({ section: 'environment', line: `PGDATA: ${DATA}/` });
    expect(change && composeChangeText(change)).toBe(
      `The new image keeps its data in /var/lib/postgresql/18/docker, and shop-db-1 has it in ${DATA}: it would start with an empty database. ` +
        `With PGDATA in the compose file both versions use ${DATA}; the slash at its end marks it as your own setting. ` +
        `In the compose file, in service db, add the line "PGDATA: ${DATA}/" to environment. ` +
        'Then run: docker compose up -d db. The current version starts on the same data, and the update is offered again.',
    );
  });

  test.each([
    ['a folder of the host', { Type: 'bind', Source: '/mnt/pg' }],
    ['an anonymous volume', { Name: 'a'.repeat(64) }],
    ['a volume that is mounted above it', { Destination: '/var/lib/postgresql' }],
  ])('the same line helps with %s', (_what, mount) => {
    const found = newMajorOf(of({ mounts: [{ ...volume('x'), ...mount }] }), OF_18);
    expect(found?.change?.add?.line).toBe(`PGDATA: ${DATA}/`);
  });

  test('once the line is there, nothing more must change', () => {
    const env = ['PG_MAJOR=15', `PGDATA=${DATA}/`];
    const imageEnv = ['PG_MAJOR=15', `PGDATA=${DATA}`];
    expect(newMajorOf(of({ env, imageEnv }), OF_18)).toEqual({ from: '15', to: '18', change: null });
  });

  test('a PGDATA of the operator holds for both versions', () => {
    const env = ['PG_MAJOR=15', `PGDATA=${DATA}/pgdata`];
    expect(newMajorOf(of({ env, imageEnv: ['PG_MAJOR=15', `PGDATA=${DATA}`] }), OF_18)?.change).toBeNull();
  });

  test('a service of a stack is deployed, not started by Compose', () => {
    const server = of();
    const labels = { 'com.docker.swarm.service.name': 'shop_db' };
    const container = { ...server.container, Config: { ...server.container.Config, Labels: labels } };
    const change = newMajorOf({ ...server, container }, OF_18)?.change ?? null;
    expect(change && composeChangeText(change)).toContain('in service shop_db, add the line');
    expect(change && composeChangeText(change)).toContain('Then deploy the stack again.');
  });
});

test('data in no volume cannot change places within one', () => {
  const change = newMajorOf(of({ mounts: [volume('shop_other', '/backup')] }), ['PG_MAJOR=17'])?.change ?? null;
  expect(change && composeChangeText(change)).toContain(`The data in ${DATA} is in no volume.`);
});

test('a server whose databases are not dumped needs the label', () => {
  expect(composeChangeText(needsDumps({ name: 'shop-db-1', service: 'db' }))).toContain(
    'in service db, add the line "backup.kind: postgres" to labels',
  );
});
