import { dirname } from 'node:path';
import { createDockerEngine } from '../../src/adapters/docker/docker-engine';
import { readContainers } from '../../src/containers/read-containers';
import { databasesOf } from '../../src/backups/sources/postgres-source';
import { psqlOf } from '../../src/restores/databases/psql';
import { dropDatabaseCommand } from '../../src/restores/removal-commands';
import { systemClock } from '../../src/lib/clock';
import type { Engine } from '../../src/ports/engine';
import { readFingerprint } from '../../src/updates/fingerprint/read-fingerprint';
import { waitUntilHealthy } from '../../src/probes/wait-until-healthy';
import { run } from '../lab/command';
import { openStage } from '../support/e2e-stage';
import { recordingLogger } from '../support/recording-logger';

// People move PostgreSQL to another port, close TCP, or move its socket. Probe, backup, restore and fingerprint follow.
const stage = openStage();
const COMMANDS = {
  port: ['postgres', '-p', '5433'],
  'no-tcp': ['postgres', '-c', 'listen_addresses='],
  socket: ['postgres', '-p', '5444', '-c', 'listen_addresses=', '-c', 'unix_socket_directories=/tmp'],
  'no-socket': ['postgres', '-p', '5455', '-c', 'unix_socket_directories='],
};
const SERVICES = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
let engine: Engine;
let project: string;

beforeAll(async () => {
  const services = SERVICES.map((name) => [
    name,
    {
      image: stage.lab.images.POSTGRES_15,
      command: COMMANDS[name],
      init: name === 'no-tcp',
      environment: { POSTGRES_USER: 'app', POSTGRES_DB: 'app', POSTGRES_PASSWORD: 'geheim' },
      labels: { 'update.probe': 'postgres', 'backup.kind': 'postgres' },
    },
  ]);
  project = (await stage.project('where', Object.fromEntries(services))).name;
  engine = createDockerEngine({ dockerHost: stage.lab.viewHost, dockerConfigDir: null });
});

test.each(SERVICES)('a server that is configured otherwise is found: %s', async (service) => {
  const server = (await readContainers(engine, null)).find(({ name }) => name === `${project}-${service}-1`);
  if (server === undefined) throw new Error(`no container of ${service}`);
  const probe = { kind: 'postgres' } as const;
  const question = { engine, selfId: null, clock: systemClock, containerId: server.id, probe, timeoutMs: 180_000 };
  await waitUntilHealthy(question);

  const items = await databasesOf(engine, server);
  expect(items.map(({ name }) => name)).toEqual(['globals', 'app', 'postgres']);
  for (const item of items) {
    let bytes = 0;
    for await (const chunk of await item.open()) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(200);
  }
  const psql = await psqlOf(engine, server);
  expect(await psql.list('SELECT current_user')).toEqual(['app']);
  await psql.run(['CREATE DATABASE "-old app"']);
  const { docker } = stage.lab;
  const env = { ...process.env, PATH: `${dirname(docker.path)}:${process.env['PATH']}`, DOCKER_HOST: docker.host };
  for (const asksPassword of [await psql.asksPassword(), true]) {
    await run('sh', ['-c', dropDatabaseCommand(server, { ...psql.login, asksPassword }, '-old app')], { env });
    expect(await psql.list('SELECT datname FROM pg_database')).not.toContain('-old app');
    await psql.run(['CREATE DATABASE "-old app"']);
  }
  await psql.run(['DROP DATABASE "-old app"']);
  const fingerprint = await readFingerprint(
    { engine, clock: systemClock, logger: recordingLogger().logger },
    [server],
    () => undefined,
  );
  expect(fingerprint.unread).toEqual([]);
  expect(fingerprint.databases).toHaveLength(2);
});
