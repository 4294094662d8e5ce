import { EngineError } from '../../src/domain/errors';
import type { Behaviour, FakeImage } from '../support/fake-engine-types';
import { openScene, runBehindEdge, type Scene } from '../support/scene';

let scene: Scene;
let old: FakeImage;
let ids: { edge: string; nginx: string };
beforeEach(() => {
  scene = openScene();
  old = scene.engine.addImage({ reference: 'nginx:stable', config: { ExposedPorts: { '80/tcp': {} } } });
  ids = runBehindEdge(scene.engine);
});
afterEach(() => scene.close());

async function updateTo(health: Behaviour, logs: string[] = []): Promise<FakeImage> {
  const image = scene.engine.publish('nginx:stable', { health, logs, config: { ExposedPorts: { '80/tcp': {} } } });
  scene.hear('docker.io/library/nginx:stable', image.digest);
  await scene.settle();
  return image;
}

function stepsOf(): [string, string][] {
  return scene.updates()[0]?.steps.map(({ name, status }) => [name, status]) ?? [];
}

function expectOldServes(): void {
  expect(scene.engine.containerNames()).toEqual(['web-edge-1', 'web-nginx-1']);
  expect(scene.engine.container('web-nginx-1')).toMatchObject({ Id: ids.nginx, Image: old.id });
  expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
  expect(scene.engine.tagged('nginx:stable')).toBe(old.id);
}

it('starts the new one beside the old one, in the same network, and stops the old one only then', async () => {
  const image = await updateTo('healthy');
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
  expect(scene.engine.lines().map((line) => line.split(' ')[0])).toEqual(
    'exec pull tag createContainer rename rename start updateContainer stop remove'.split(' '),
  );
  expect(scene.engine.containerNames()).toEqual(['web-edge-1', 'web-nginx-1']);
  expect(scene.engine.container('web-nginx-1')).toMatchObject({
    Image: image.id,
    HostConfig: { NetworkMode: `container:${ids.edge}` },
  });
  expect(scene.engine.tagged('nginx:stable')).toBe(image.id);
  expect(stepsOf()).toEqual([
    ['backup', 'skipped'],
    ['pull', 'succeeded'],
    ['preflight', 'succeeded'],
    ['recreate', 'succeeded'],
    ['health_check', 'succeeded'],
    ['cleanup', 'succeeded'],
  ]);
});

it('leaves the old one its own time to drain', async () => {
  await updateTo('healthy');
  const stops = scene.engine.transcript.filter(({ method }) => method === 'stop').map(({ args }) => args);
  expect(stops).toEqual([[ids.nginx, undefined]]);
});

describe.each<Behaviour>(['exits', 'crash-loop'])('a new one that is a %s', (health) => {
  it('is removed, and the old one was never stopped: the mail says that too', async () => {
    const before = scene.engine.container('web-nginx-1').State.StartedAt;
    await updateTo(health);
    expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
    expect(scene.updates()[0]?.reason).toContain('never stopped');
    expect(stepsOf().slice(3)).toEqual([
      ['recreate', 'succeeded'],
      ['health_check', 'failed'],
      ['rollback', 'succeeded'],
      ['rollback_health_check', 'succeeded'],
    ]);
    expectOldServes();
    expect(scene.engine.container('web-nginx-1').State.StartedAt).toBe(before);
    expect(scene.mails().at(-1)?.subject).toContain('the old version kept running');
    expect(scene.mails().at(-1)?.text).not.toContain('started again');
  });
});

it('an old one that was never stopped is not held to have crashed for a restart of long ago', async () => {
  const inspect = scene.engine.inspectContainer.bind(scene.engine);
  scene.engine.inspectContainer = async (id) => {
    const container = await inspect(id);
    return container.Id === ids.nginx ? { ...container, RestartCount: 3 } : container;
  };
  await updateTo('exits');
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
});

it('tells how to share the port when the new one could not have it', async () => {
  await updateTo('exits', ['bind() to 0.0.0.0:80 failed (98: Address already in use)']);
  expect(scene.updates()[0]?.error?.message).toContain('listen 80 reuseport');
  expectOldServes();
});

it('starts the old one before the new one goes, when the new one fails after the old one has drained', async () => {
  scene.engine.onCall('stop', ({ args }) => {
    if (args[0] !== ids.nginx) return;
    const fresh = scene.engine.container('web-nginx-1').Id;
    scene.engine.host.stop(scene.engine.host.find(fresh), 1);
  });
  await updateTo('healthy');
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
  expect(scene.mails().at(-1)?.subject).toContain('the old version is running');
  expectOldServes();
  const acts = scene.engine.lines().map((line) => line.split(' ')[0]);
  expect(acts.slice(acts.indexOf('stop'))).toEqual(
    'stop updateContainer start updateContainer rename rename tag stop remove'.split(' '),
  );
});

it('is recreated, and the label is told, when a handover cannot be', async () => {
  scene.engine.addImage({ reference: 'app:1' });
  scene.engine.runContainer({
    name: 'web-app-1',
    image: 'app:1',
    volumes: { data: '/data' },
    labels: { 'diun.enable': 'true', 'update.policy': 'automatic', 'update.strategy': 'handover' },
  });
  const image = scene.engine.publish('app:1');
  scene.hear('docker.io/library/app:1', image.digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ container: 'web-app-1', status: 'succeeded' }]);
  const acts = scene.engine.lines().map((line) => line.split(' ')[0]);
  expect(acts.indexOf('stop')).toBeLessThan(acts.indexOf('start'));
  expect(JSON.stringify(scene.log)).toContain('two containers must not write to /data at once');
});

describe('the container that owns the network', () => {
  it('is gone: nothing is stopped, and the mail says what to do', async () => {
    const image = scene.engine.publish('nginx:stable');
    scene.engine.host.containers.delete(ids.edge);
    scene.hear('docker.io/library/nginx:stable', image.digest);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'preflight_blocked' } }]);
    expect(scene.updates()[0]?.error?.message).toContain('docker compose up -d');
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
  });

  it('is not updated itself, since whoever lives in it would lose it', async () => {
    scene.engine.runContainer({
      name: 'other-edge-1',
      image: 'edge:1',
      labels: { 'diun.enable': 'true', 'update.policy': 'automatic' },
    });
    const owner = scene.engine.container('other-edge-1').Id;
    scene.engine.runContainer({ name: 'guest', image: 'edge:1', hostConfig: { NetworkMode: `container:${owner}` } });
    const image = scene.engine.publish('edge:1');
    scene.hear('docker.io/library/edge:1', image.digest);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ container: 'other-edge-1', status: 'failed' }]);
    expect(scene.updates()[0]?.error?.message).toContain('guest');
  });
});

it('serves on when the engine refuses to start the new one', async () => {
  scene.engine.failNext(
    'start',
    new EngineError('engine_refused', 'exec: "nginx": executable file not found in $PATH'),
  );
  await updateTo('healthy');
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'recreate_failed' } }]);
  expect(scene.updates()[0]?.reason).toContain('never stopped');
  expectOldServes();
});

describe('a container with a random MAC address, as Engine 28 gives one to each that runs', () => {
  const labels = { 'diun.enable': 'true', 'update.policy': 'automatic', 'update.strategy': 'handover' };
  const open = (): void => {
    scene.engine.host.generatesMacs = true;
    scene.engine.addImage({ reference: 'app:1' });
    scene.engine.runContainer({ name: 'web-app-1', image: 'app:1', networks: ['front'], labels });
    scene.hear('docker.io/library/app:1', scene.engine.publish('app:1').digest);
  };
  const expectRecreated = (): void => {
    expect(scene.updates()).toMatchObject([{ container: 'web-app-1', status: 'succeeded' }]);
    expect(scene.updates()[0]?.steps.find(({ name }) => name === 'health_check')?.detail).not.toContain('drained');
    expect(scene.store.updates.journal(scene.updates()[0]?.id ?? '')?.handedOver).toBeUndefined();
  };

  it('is recreated, and the reason names the remedy', async () => {
    open();
    await scene.settle();
    expectRecreated();
    expect(JSON.stringify(scene.log)).toContain('do not show whether you set it');
  });

  it.each(['stop', 'start'] as const)(
    'is recreated also after a crash past the %s, when it shows none',
    async (call) => {
      open();
      await Promise.race([scene.engine.crashAt(call, 'after'), scene.settle()]);
      scene = scene.restart();
      await scene.settle();
      expectRecreated();
    },
  );
});
