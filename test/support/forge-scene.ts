import { requestUpdate } from '../../src/decisions/request-update';
import type { RestartPolicy } from '../../src/domain/engine-inspect';
import type { Behaviour, ContainerSpec, ImageSpec } from './fake-engine-types';
import { aDump, fakePostgres, type Databases } from './fake-postgres';
import { REAL_SHELL } from './real-shell';
import { openScene, type Scene } from './scene';

/** A Gitea with its database and a runner that uses the database too, and beside them an app of another project. */
export interface Forge {
  scene: Scene;
  /** Of the database server. */
  databases: Databases;
  /** What the images are, by reference: to publish new ones of the same make. */
  specs: Record<string, ImageSpec>;
  inProject: Record<string, string>;
  watched: Record<string, string>;
  /** The operator asks for an update. */
  request(container: string): Promise<void>;
  /** The same, and all is worked. */
  update(container: string): Promise<void>;
}

const HEALTHCHECK = { Test: ['CMD', 'true'], Interval: 1e9 };

export interface ForgeOptions {
  runner?: Behaviour;
  paths?: string;
  labels?: Record<string, string>;
  /** Of the database server. */
  dbLabels?: Record<string, string>;
  /** Restart policy of every container. */
  policy?: RestartPolicy;
  /** Image of the database server. */
  postgres?: ImageSpec;
  /** Of gitea. */
  networks?: string[];
  /** As Engine 28 (`FakeHost.generatesMacs`). */
  generatesMacs?: boolean;
}

export function runForge({
  runner = 'healthy',
  paths = '/data',
  labels = {},
  dbLabels = {},
  policy,
  postgres,
  networks,
  generatesMacs = false,
}: ForgeOptions = {}): Forge {
  const scene = openScene();
  scene.engine.host.generatesMacs = generatesMacs;
  const inProject = { 'com.docker.compose.project': 'forge' };
  const watched = { 'diun.enable': 'true' };
  const onDatabase = { ...inProject, 'com.docker.compose.depends_on': 'db:service_healthy:true' };
  const databases: Databases = { app: aDump('app'), postgres: aDump('postgres') };
  const specs: Record<string, ImageSpec> = {
    'postgres:15': postgres ?? { ...fakePostgres(databases), config: { Env: ['PG_MAJOR=15'] } },
    'gitea:1': { scripts: { ...REAL_SHELL }, config: { Healthcheck: HEALTHCHECK } },
    'runner:1': { health: runner, config: { Healthcheck: HEALTHCHECK } },
    'nginx:1': {},
  };
  const { engine } = scene;
  const run = (spec: ContainerSpec) =>
    engine.runContainer(policy === undefined ? spec : { ...spec, hostConfig: { RestartPolicy: policy } });
  for (const [reference, spec] of Object.entries(specs)) engine.addImage({ reference, ...spec });
  run({
    name: 'forge-db-1',
    image: 'postgres:15',
    volumes: { 'forge-rows': '/var/lib/postgresql/data' },
    labels: { ...watched, ...inProject, 'com.docker.compose.service': 'db', 'backup.kind': 'postgres', ...dbLabels },
  });
  engine.files('forge-db-1').write('/var/lib/postgresql/data/PG_VERSION', '15\n');
  run({
    name: 'forge-gitea-1',
    image: 'gitea:1',
    volumes: { 'forge-files': '/data' },
    ...(networks === undefined ? {} : { networks }),
    labels: {
      ...watched,
      ...onDatabase,
      'com.docker.compose.service': 'gitea',
      'backup.kind': 'files',
      'backup.paths': paths,
      ...labels,
    },
  });
  engine.files('forge-gitea-1').write('/data/repo/a.txt', 'a');
  const onBoth = `${onDatabase['com.docker.compose.depends_on']},gitea:service_started:true`;
  const runnersOwn = { 'com.docker.compose.service': 'runner', 'com.docker.compose.depends_on': onBoth };
  run({ name: 'forge-runner-1', image: 'runner:1', labels: { ...onDatabase, ...runnersOwn } });
  run({
    name: 'other-app-1',
    image: 'nginx:1',
    labels: { 'com.docker.compose.project': 'other', 'com.docker.compose.depends_on': 'db:service_healthy:true' },
  });
  const request = async (container: string): Promise<void> => void (await requestUpdate(scene.deps, { container }));
  return {
    ...{ scene, databases, specs, inProject, watched, request },
    update: async (container) => {
      await request(container);
      await scene.settle();
    },
  };
}
