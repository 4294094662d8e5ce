import { EngineError } from '../../src/domain/errors';
import type { Behaviour, FakeImage } from '../support/fake-engine-types';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { expectEndsHaveTimes } from '../support/expect-ends-have-times';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
let old: FakeImage;
let oldId: string;
beforeEach(() => {
  scene = openScene();
  old = scene.engine.addImage({ reference: 'nginx:stable' });
  oldId = scene.engine.runContainer(nginx());
});
afterEach(() => {
  expectEndsHaveTimes(scene);
  scene.close();
});

function publish(health: Behaviour = 'healthy'): FakeImage {
  return scene.engine.publish('nginx:stable', { health, logs: ['bind() to 0.0.0.0:80 failed'] });
}

async function hearAndSettle(image: FakeImage): Promise<void> {
  scene.hear('docker.io/library/nginx:stable', image.digest);
  await scene.settle();
}

function stepsOf(index = 0): Record<string, string> {
  return Object.fromEntries(scene.updates()[index]?.steps.map(({ name, status }) => [name, status]) ?? []);
}

describe('a healthy new image', () => {
  it('runs under the same name, the old container is gone, the tag names what runs', async () => {
    const image = publish();
    await hearAndSettle(image);
    expect(scene.updates()).toMatchObject([
      { status: 'succeeded', error: null, from: { digest: old.digest }, to: { digest: image.digest } },
    ]);
    expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
    expect(scene.engine.container('web-nginx-1')).toMatchObject({ Image: image.id, Config: { Image: 'nginx:stable' } });
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
    expect(scene.engine.tagged('nginx:stable')).toBe(image.id);
    expect(stepsOf()).toEqual({
      backup: 'skipped',
      pull: 'succeeded',
      preflight: 'succeeded',
      recreate: 'succeeded',
      health_check: 'succeeded',
      cleanup: 'succeeded',
    });
  });

  it('that declares a volume where the container has a tmpfs is none to mount a volume for', async () => {
    scene.engine.runContainer(nginx({ name: 'in-memory', ports: {}, hostConfig: { Tmpfs: { '/data': '' } } }));
    await hearAndSettle(scene.engine.publish('nginx:stable', { config: { Volumes: { '/data': {} } } }));
    const last = scene.updates().find(({ container }) => container === 'in-memory');
    expect(last).toMatchObject({ status: 'succeeded', error: null });
  });

  it('does all that it can before the old container is stopped', async () => {
    await hearAndSettle(publish());
    const lines = scene.engine.lines();
    // `df` in the running container comes first.
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'exec',
      'pull',
      'tag',
      'createContainer',
      'rename',
      'rename',
      'updateContainer',
      'stop',
      'start',
      'remove',
    ]);
  });

  it('takes no volume away with the old container, not even one without a name', async () => {
    const taken: unknown[] = [];
    const { engine } = scene;
    const remove = engine.remove.bind(engine);
    engine.remove = (id, also) => {
      taken.push(also?.volumes ?? false);
      return remove(id, also);
    };
    await hearAndSettle(publish());
    expect(taken).toEqual([false]);
  });

  it('tells by mail that an automatic update comes, and is silent when it went well', async () => {
    await hearAndSettle(publish());
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available']);
  });

  it('is also kept when it is slow', async () => {
    const image = scene.engine.publish('nginx:stable', {
      health: 'slow',
      slowMs: 20_000,
      config: { Healthcheck: { Test: ['CMD', 'true'], StartPeriod: 60e9 } },
    });
    await hearAndSettle(image);
    expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  });
});

describe.each([
  ['crash-loop', /restarted|exited/],
  ['exits', /exited|restarted/],
] as const)('a new image that is a %s', (health, why) => {
  it('is rolled back to the very container that served before', async () => {
    await hearAndSettle(publish(health));
    expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
    expect(scene.updates()[0]?.error?.message).toMatch(why);
    expect(scene.updates()[0]?.error?.message).toContain('bind() to 0.0.0.0:80 failed');
    expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
    expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
    expect(scene.engine.tagged('nginx:stable')).toBe(old.id);
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available', 'update_failed']);
    expect(scene.mails()[1]?.subject).toMatch(/the old version is running|rolled back/i);
  });

  it('is not tried again by itself, but by the operator', async () => {
    const image = publish(health);
    await hearAndSettle(image);
    scene.hear('docker.io/library/nginx:stable', old.digest);
    scene.hear('docker.io/library/nginx:stable', image.digest);
    await scene.settle();
    expect(scene.updates().map(({ status }) => status)).toEqual(['rolled_back', 'ignored', 'ignored']);
    expect(scene.updates()[2]?.reason).toMatch(/failed on web-nginx-1/);
  });
});

it('rolls back when the engine refuses to start the new container', async () => {
  scene.engine.onCall(
    'start',
    () => {
      throw new EngineError('engine_refused', 'exec: "nginx": executable file not found in $PATH');
    },
    { once: true },
  );
  await hearAndSettle(publish());
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'recreate_failed' } }]);
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
});

it('changes nothing when the new container cannot be created', async () => {
  scene.engine.failNext('createContainer', new EngineError('engine_refused', 'no space left on device'));
  await hearAndSettle(publish());
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'recreate_failed' } }]);
  expect(scene.engine.lines().filter((line) => /^(stop|rename|start)/.test(line))).toEqual([]);
  expect(scene.engine.tagged('nginx:stable')).toBe(old.id);
});

it('changes nothing when the image cannot be pulled, says so by mail, and tries it again when there is news of it', async () => {
  const image = publish();
  scene.engine.failNext('pull', new EngineError('pull_failed', 'connection reset by peer'));
  await hearAndSettle(image);
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'pull_failed' } }]);
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available', 'update_failed']);
  expect(scene.mails()[1]?.subject).toContain('update failed, nothing was changed – nothing urgent');
  scene.hear('docker.io/library/nginx:stable', image.digest, 'new');
  await scene.settle();
  expect(scene.updates().map(({ status }) => status)).toEqual(['failed', 'succeeded']);
});

it('rolls back when the new one is healthy, but one that depends on it is so no more', async () => {
  scene.engine.addImage({ reference: 'app:1' });
  const labels = {
    'com.docker.compose.project': 'web',
    'com.docker.compose.depends_on': 'nginx:service_started:false',
  };
  const app = scene.engine.runContainer({ name: 'web-app-1', image: 'app:1', labels });
  await scene.clock.sleep(60_000);
  const breaks = () => scene.engine.host.stop(scene.engine.host.find(app), 1);
  scene.engine.onCall('start', breaks, { when: 'after', once: true });
  await hearAndSettle(publish());
  expect(scene.updates()).toMatchObject([{ error: { code: 'other_unhealthy' } }]);
  expect(scene.updates()[0]?.error?.message).toContain('web-app-1 is not healthy');
  expect(stepsOf()).toMatchObject({ health_check: 'failed', rollback: 'succeeded' });
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
});

it('says that it needs a person when the old container does not serve either', async () => {
  const image = publish('exits');
  scene.engine.onCall('start', (call) => {
    if (call.args[0] === oldId)
      throw new EngineError('engine_refused', 'driver failed programming external connectivity');
  });
  await hearAndSettle(image);
  expect(scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'rollback_failed' } }]);
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
  expect(scene.mails().at(-1)?.subject).toMatch(/person|nobody|not serving|down/i);
});

it('leaves an engine that goes away in the middle for what it is, and goes on when it is back', async () => {
  const image = publish();
  scene.engine.onCall(
    'stop',
    () => {
      scene.engine.reachable = false;
    },
    { once: true },
  );
  scene.hear('docker.io/library/nginx:stable', image.digest);
  await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
  expect(scene.updates()).toMatchObject([{ status: 'running' }]);
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available']);
  scene.engine.reachable = true;
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect(scene.engine.container('web-nginx-1').Image).toBe(image.id);
});

it('begins again however often the engine goes away while it prepares: only a crash of the process is an attempt', async () => {
  const image = publish();
  scene.hear('docker.io/library/nginx:stable', image.digest);
  for (let loss = 1; loss <= 5; loss++) {
    scene.engine.reachable = true;
    scene.engine.onCall('pull', () => void (scene.engine.reachable = false), { once: true });
    await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
  }
  scene.engine.reachable = true;
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
});

it('gives up an update that stops the process again and again while it prepares, and has changed nothing', async () => {
  scene.hear('docker.io/library/nginx:stable', publish().digest);
  for (let crash = 1; crash <= 3; crash++) {
    const dead = scene.engine.crashAt('pull', 'before');
    void scene.settle();
    await dead;
    scene = scene.restart();
  }
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'interrupted' } }]);
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
});

it('updates each of two containers on one image once, however often Diun says it', async () => {
  scene.engine.runContainer(
    nginx({ name: 'web-nginx-b-1', ports: {}, labels: { 'com.docker.compose.service': 'nginx-b' } }),
  );
  const image = publish();
  expect(scene.hear('docker.io/library/nginx:stable', image.digest).duplicate).toBe(false);
  expect(scene.hear('docker.io/library/nginx:stable', image.digest).duplicate).toBe(true);
  await scene.settle();
  expect(scene.updates().map(({ container, status }) => [container, status])).toEqual([
    ['web-nginx-1', 'succeeded'],
    ['web-nginx-b-1', 'succeeded'],
  ]);
});

it('tells the line to change in the compose file when the tag is new', async () => {
  const labels = {
    'com.docker.compose.project.config_files': '/srv/web/compose.yaml',
    'com.docker.compose.project.working_dir': '/srv/web',
  };
  scene.engine.addImage({ reference: 'nginx:1.27.3' });
  scene.engine.runContainer(nginx({ name: 'web-pinned-1', image: 'nginx:1.27.3', ports: {}, labels }));
  const image = scene.engine.publish('nginx:1.27.4');
  scene.hear('docker.io/library/nginx:1.27.4', image.digest, 'new');
  await scene.settle();
  const update = scene.updates().find(({ container }) => container === 'web-pinned-1');
  expect(update).toMatchObject({ status: 'succeeded', to: { reference: 'nginx:1.27.4' } });
  expect(update?.followUp).toContain('/srv/web/compose.yaml');
  expect(scene.engine.container('web-pinned-1').Config.Image).toBe('nginx:1.27.4');
  expect(scene.engine.tagged('nginx:1.27.3')).not.toBeNull();
});

it('decides on news of a container that is being updated when that has ended, from what runs then', async () => {
  const first = publish();
  let handledMeanwhile = -1;
  const newsComes = async (): Promise<void> => {
    const next = scene.engine.publish('nginx:stable', { logs: ['newer'] });
    scene.hear('docker.io/library/nginx:stable', next.digest);
    handledMeanwhile = await handleInbox(scene.deps);
  };
  scene.engine.onCall('createContainer', newsComes, { once: true });
  await hearAndSettle(first);
  expect(handledMeanwhile).toBe(0);
  expect(scene.updates()).toMatchObject([
    { status: 'succeeded' },
    { status: 'succeeded', from: { digest: first.digest } },
  ]);
});

it('leaves what changed meanwhile alone', async () => {
  const image = publish();
  scene.hear('docker.io/library/nginx:stable', image.digest);

  await handleInbox(scene.deps);
  const other = scene.engine.addImage({ reference: 'nginx:other' });
  await scene.engine.stop(oldId);
  await scene.engine.remove(oldId);
  scene.engine.runContainer(nginx({ image: 'nginx:other' }));
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }]);
  expect(scene.engine.container('web-nginx-1').Image).toBe(other.id);
});

it('updates a container that crashes again and again: a new image may be what mends it', async () => {
  scene.engine.host.remove(stopped(oldId));
  const crashing = scene.engine.addImage({ reference: 'nginx:stable', health: 'crash-loop' });
  scene.engine.runContainer(nginx());
  await scene.clock.advance(3_000);
  expect(scene.engine.container('web-nginx-1')).toMatchObject({ Image: crashing.id, State: { Restarting: true } });
  await hearAndSettle(publish());
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
});

it('leaves a container that does not run alone, and does not hold that against the image', async () => {
  const image = publish();
  stopped(oldId);
  await hearAndSettle(image);
  expect(scene.updates()).toMatchObject([{ status: 'ignored' }]);
  expect(scene.updates()[0]?.reason).toContain('docker start web-nginx-1');
  expect(scene.store.refusals.find('web-nginx-1', image.digest)).toBeNull();
  expect(scene.engine.isRunning(oldId)).toBe(false);
});

function stopped(id: string): string {
  scene.engine.host.stop(scene.engine.host.find(id));
  return id;
}

it('is refused before anything is stopped where another container links to it: that one could not be started again', async () => {
  scene.engine.addImage({ reference: 'app:1' });
  for (const [name, linked] of [
    ['app', 'web-nginx-1'],
    ['other', 'web-nginx-10'],
  ])
    scene.engine.runContainer({
      ...{ name: name ?? '', image: 'app:1' },
      hostConfig: { Links: [`/${linked}:/${name}/web`] },
    });
  await hearAndSettle(publish());
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'preflight_blocked' } }]);
  expect(scene.updates()[0]?.error?.message).toContain('--link: app links to web-nginx-1 (--link), would lose it');
  expect(scene.engine.lines().filter((line) => line.startsWith('stop'))).toEqual([]);
});
