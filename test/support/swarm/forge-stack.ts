import { requestUpdate } from '../../../src/decisions/request-update';
import type { ServiceSpec } from '../../../src/domain/services/swarm-inspect';
import type { FakeImage, ImageSpec } from '../fake-engine-types';
import { aDump, fakePostgres, type Databases } from '../fake-postgres';
import { REAL_SHELL } from '../real-shell';
import { openScene, type Scene } from '../scene';

/** A Gitea with its database and a web server in front, as a stack on a Swarm of one node. */
export interface ForgeStack {
  scene: Scene;
  databases: Databases;
  images: Record<string, FakeImage>;
  /** What is published under each reference. */
  specs: Record<string, ImageSpec>;
  /** Publishes the next image of a reference, of the same make. */
  publish(reference: string, spec?: ImageSpec): FakeImage;
  /** The operator asks for an update, and all is worked. */
  update(service: string): Promise<void>;
}

export interface ForgeStackOptions {
  /** Labels of the service `gitea`, `db` and `web`. */
  gitea?: Record<string, string>;
  db?: Record<string, string>;
  web?: Record<string, string>;
  replicas?: number;
  node?: string;
  spec?: Partial<ServiceSpec>;
}

const STACK = { 'com.docker.stack.namespace': 'forge', 'diun.enable': 'true' };
const onVolume = (Source: string, Target: string, node = 'node-here'): Partial<ServiceSpec> => ({
  TaskTemplate: {
    ContainerSpec: { Image: '', Mounts: [{ Type: 'volume', Source, Target }] },
    Placement: { Constraints: [`node.hostname==${node}`] },
  },
});

export function runForgeStack(options: ForgeStackOptions = {}): ForgeStack {
  const { gitea = {}, db = {}, web = {}, replicas = 1, node, spec } = options;
  const scene = openScene();
  scene.swarm.init();
  const databases: Databases = { app: aDump('app'), postgres: aDump('postgres') };
  const specs: Record<string, ImageSpec> = {
    'postgres:15': { ...fakePostgres(databases), config: { Env: ['PG_MAJOR=15'] } },
    'gitea:1': { scripts: { ...REAL_SHELL } },
    'nginx:1': {},
  };
  const images: ForgeStack['images'] = {};
  for (const [reference, each] of Object.entries(specs)) images[reference] = scene.engine.publish(reference, each);
  const run = (name: string, reference: string, labels: Record<string, string>, more: object): void => {
    const image = `${reference}@${images[reference]?.digest}`;
    scene.swarm.addService({ name: `forge_${name}`, image, labels: { ...STACK, ...labels }, ...more });
  };
  run(
    'db',
    'postgres:15',
    { 'backup.kind': 'postgres', ...db },
    { spec: onVolume('forge-rows', '/var/lib/postgresql/data') },
  );
  const files = { 'backup.kind': 'files', 'backup.paths': '/data', 'backup.quiesce': 'allowed', ...gitea };
  run('gitea', 'gitea:1', files, { spec: { ...onVolume('forge-files', '/data', node), ...spec }, replicas, node });
  run('web', 'nginx:1', { 'backup.quiesce': 'never', ...web }, {});
  const container = (name: string): string =>
    scene.engine.containerNames().find((each) => each.startsWith(`forge_${name}.1.`)) ?? '';
  scene.engine.files(container('db')).write('/var/lib/postgresql/data/PG_VERSION', '15\n');
  if (node === undefined && replicas > 0) scene.engine.files(container('gitea')).write('/data/repo/a.txt', 'a');
  return {
    ...{ scene, databases, images, specs },
    publish: (reference, more = {}) => scene.engine.publish(reference, { ...specs[reference], ...more }),
    update: async (service) => {
      await requestUpdate(scene.deps, { container: `forge_${service}` });
      await scene.settle();
    },
  };
}
