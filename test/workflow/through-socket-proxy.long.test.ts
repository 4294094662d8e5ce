import { runForge } from '../support/forge-scene';
import { guardedEngine } from '../support/guarded-engine';
import { runMajorForge } from '../support/major-scene';
import { rehearsalOf, rehearsalScene } from '../support/rehearsal-scene';
import { askedRestore, dataOf, restoreOf } from '../support/restore-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// All that diun-pilot does by itself passes the guard of the socket proxy; what it refuses is in
// test/unit/adapters/socket-proxy/root-attacks.test.ts.
const NGINX = { 'nginx -t': {}, 'nginx -T': {} };
const Env = ['NGINX_VERSION=1.27.3'];
let refused: string[];
let scene: Scene;

function guard(opened: Scene): Scene {
  refused = [];
  opened.deps.engine = guardedEngine(opened.engine, refused);
  return opened;
}

afterEach(() => scene.close());

async function updated(next: Parameters<Scene['engine']['publish']>[1], fields = {}): Promise<string | undefined> {
  scene = guard(openScene());
  scene.engine.addImage({
    reference: 'nginx:stable',
    scripts: NGINX,
    config: { Env, Labels: { maintainer: 'nginx' } },
  });
  scene.engine.runContainer(
    nginx({ networks: ['front', 'back'], hostConfig: { Binds: ['/srv/web:/data', 'site:/site'] }, ...fields }),
  );
  const { digest } = scene.engine.publish('nginx:stable', next);
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  return scene.updates()[0]?.status;
}

it('updates a container in two networks, with the test of its configuration', async () => {
  const next = { scripts: NGINX, config: { Env: [...Env, 'NEW=1'] } };
  expect(await updated(next)).toBe('succeeded');
  expect(refused).toEqual([]);
});

it.each([['nginx'], ['/docker-entrypoint.sh']])('updates one whose image has the entrypoint %s', async (program) => {
  const image = {
    scripts: { ...NGINX, '/docker-entrypoint.sh nginx -t': {} },
    config: { Env, Entrypoint: [program] },
  };
  expect(await updated(image)).toBe('succeeded');
  expect([refused, scene.updates()[0]?.steps.find(({ name }) => name === 'preflight')?.detail]).toEqual([
    [],
    expect.stringContaining('nginx -t passes in the new image'),
  ]);
});

it('rolls an unhealthy one back', async () => {
  expect(await updated({ health: 'exits' })).toBe('rolled_back');
  expect(refused).toEqual([]);
});

it('updates a container that is root on its host, into which nothing is put', async () => {
  const status = await updated({ health: 'exits' }, { hostConfig: { Privileged: true, Binds: ['/:/host'] } });
  expect([status, refused]).toEqual(['rolled_back', []]);
});

it('creates again what another process removed in the middle of an update', async () => {
  scene = guard(openScene());
  const { engine } = scene;
  engine.addImage({ reference: 'nginx:stable' });
  engine.runContainer(nginx());
  const { digest } = engine.publish('nginx:stable');
  engine.onCall(
    'stop',
    () => {
      for (const name of engine.containerNames()) engine.host.remove(engine.container(name).Id, false);
    },
    { when: 'after', once: true },
  );
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  expect([engine.containerNames(), engine.isRunning('web-nginx-1'), refused]).toEqual([['web-nginx-1'], true, []]);
});

describe('on an engine that gives each container random MAC addresses while it runs', () => {
  const macs = (): string[] =>
    Object.values(scene.engine.container('forge-gitea-1').NetworkSettings.Networks).map(
      ({ MacAddress = '' }) => MacAddress,
    );

  it.each([[undefined], [['front', 'back']]])(
    'updates a container that is stopped for its backup, in the networks %j',
    async (networks) => {
      const forge = runForge({ generatesMacs: true, ...(networks === undefined ? {} : { networks }) });
      scene = guard(forge.scene);
      const before = macs();
      scene.engine.publish('gitea:1', forge.specs['gitea:1']);
      await forge.update('forge-gitea-1');
      expect([scene.updates().at(-1)?.status, refused]).toEqual(['succeeded', []]);
      expect(before).not.toContain('');
      expect(macs()).toEqual(before);
    },
  );
});

it('rehearses, in a copy of the database and of the application', async () => {
  const forge = rehearsalScene();
  scene = guard(forge.scene);
  scene.hear('docker.io/library/gitea:1', forge.digest);
  await scene.settle();
  expect([rehearsalOf(scene)?.status, refused]).toEqual(['passed', []]);
});

it('restores database and files', async () => {
  const { forge, backedUp, ...asked } = await askedRestore();
  scene = guard(asked.scene);
  await scene.settle();
  expect([restoreOf(scene).status, refused]).toEqual(['succeeded', []]);
  expect(dataOf(scene.engine, forge.databases)).toEqual(backedUp);
});

it.each([false, true])('moves a database server to a new major, and back (differs: %s)', async (spoils) => {
  const major = runMajorForge({ spoils });
  await major.request();
  scene = guard(major.forge.scene);
  await scene.settle();
  expect([scene.updates()[0]?.status, refused]).toEqual([spoils ? 'rolled_back' : 'succeeded', []]);
});
