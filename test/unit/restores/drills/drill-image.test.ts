import { type BackupItem, NotTried } from '../../../../src/domain/backups/backup';
import { imageForDrill } from '../../../../src/restores/drills/drill-set';
import { requestFor } from '../../../../src/restores/drills/throwaway-server';
import { FakeEngine } from '../../../support/fake-engine';
import { readContainers } from '../../../../src/containers/read-containers';
import { memoryStorage } from '../../../support/memory-storage';
import { TestClock } from '../../../support/test-clock';

let engine: FakeEngine;
beforeEach(() => {
  engine = new FakeEngine(new TestClock());
});

/** The beginning of a dump in the custom format, as PostgreSQL 15 writes it (version 1.14; pg_backup_archiver.c). */
function headOf(server: string): Buffer {
  const number = (value: number): Buffer => Buffer.from([0, value, 0, 0, 0]);
  const word = (value: string): Buffer => Buffer.concat([number(value.length), Buffer.from(value)]);
  const begin = Buffer.concat([Buffer.from('PGDMP'), Buffer.from([1, 14, 0, 4, 8, 1])]);
  return Buffer.concat([begin, ...Array.from({ length: 8 }, () => number(1)), word('app'), word(server), word(server)]);
}

const addPostgres = (reference: string, major: string | null): string =>
  engine.addImage({ reference, config: { Env: major === null ? [] : [`PG_MAJOR=${major}`] } }).id;

async function chosen(imageId: string, dumpedFrom = '15.10 (Debian 15.10-0+deb12u1)'): Promise<string> {
  const image = { reference: 'postgres:15', imageId };
  const item = { container: 'shop-db-1', image, key: 'dump', name: 'app', kind: 'database' } as BackupItem;
  const storage = memoryStorage(new Map([['dump', headOf(dumpedFrom)]]));
  const [running = null] = await readContainers(engine, null);
  const server = { container: 'shop-db-1', roles: [], databases: [item] as [BackupItem] };
  return (await imageForDrill({ engine, storage }, server, running)).Id;
}

async function refusal(...args: Parameters<typeof chosen>): Promise<string> {
  const error: unknown = await chosen(...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NotTried);
  return (error as Error).message;
}

test('it is the very one that the server ran, whatever runs now', async () => {
  const then = addPostgres('postgres:15.9', '15');
  addPostgres('postgres:17', '17');
  engine.runContainer({ name: 'shop-db-1', image: 'postgres:17' });
  expect(await chosen(then)).toBe(then);
});

test('it is that of the running server when the old one is gone and the major is the same', async () => {
  const now = addPostgres('postgres:15', '15');
  engine.runContainer({ name: 'shop-db-1', image: 'postgres:15' });
  expect(await chosen('sha256:gone')).toBe(now);
});

test('another major is not taken for it, and the reason names both', async () => {
  addPostgres('postgres:17', '17');
  engine.runContainer({ name: 'shop-db-1', image: 'postgres:17' });
  expect(await refusal('sha256:gone')).toMatch(
    /no longer on this engine\. The dump is of PostgreSQL 15, and shop-db-1 now runs PostgreSQL 17\./,
  );
  expect(await refusal('sha256:gone', 'unknown')).toMatch(/The dump is of PostgreSQL \(unknown version\), and /);
});

test('without the old one and without a server there is none', async () => {
  expect(await refusal('sha256:gone')).toMatch(/no longer on this engine, and there is no shop-db-1 now/);
});

test('one that does not begin as the official image does is not tried', async () => {
  expect(await refusal(addPostgres('bitnami/postgresql:15', null))).toMatch(/PG_MAJOR is missing/);
});

test('what its image says of Compose and Diun is put out of force; what the server preloads is preloaded', async () => {
  const Labels = { 'com.docker.compose.project': 'shop', 'diun.enable': 'true' };
  const config = { Labels, Cmd: ['postgres'], Healthcheck: { Test: ['CMD', 'true'] } };
  engine.addImage({ reference: 'own/postgres:15', config });
  const image = await engine.inspectImage('own/postgres:15');
  const { body } = requestFor(
    { image, preload: ['shared_preload_libraries=timescaledb, pg_cron', 'cron.database_name=app'] },
    'secret',
  );
  expect(body).toMatchObject({
    Cmd: ['postgres', '-c', 'shared_preload_libraries=timescaledb, pg_cron', '-c', 'cron.database_name=app'],
    Labels: { 'com.docker.compose.project': '', 'diun.enable': 'false' },
    Healthcheck: { Test: ['NONE'] },
  });
  expect(requestFor({ image, preload: [] }, 'secret').body.Cmd).toBeNull();
});
