import { nginx, openScene, runBehindEdge, type Scene } from '../support/scene';
import { EngineError } from '../../src/domain/errors';
import type { FakeImage } from '../support/fake-engine-types';

// A verdict is what was looked at, never what was done: each look of an update is made to matter.
let scene: Scene;
let old: FakeImage;
beforeEach(() => {
  scene = openScene();
  old = scene.engine.addImage({ reference: 'nginx:stable', config: { ExposedPorts: { '80/tcp': {} } } });
});
afterEach(() => scene.close());

async function updateTo(image: FakeImage): Promise<void> {
  scene.hear('docker.io/library/nginx:stable', image.digest);
  await scene.settle();
}

describe('a rollback is not claimed', () => {
  let oldId: string;
  beforeEach(() => {
    oldId = scene.engine.runContainer(nginx());
  });

  it('when the old container starts, but does not stay', async () => {
    const image = scene.engine.publish('nginx:stable', { health: 'exits' });
    scene.engine.onCall('start', ({ args }) => {
      if (args[0] === oldId) old.spec.health = 'crash-loop';
    });
    await updateTo(image);
    expect(scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'rollback_failed' } }]);
    expect(scene.updates()[0]?.steps.at(-1)).toMatchObject({ name: 'rollback_health_check', status: 'failed' });
    expect(scene.mails().at(-1)?.subject).not.toMatch(/serving again/);
  });

  it('when somebody else has put another container in its place', async () => {
    const image = scene.engine.publish('nginx:stable', { health: 'exits' });
    scene.engine.onCall(
      'start',
      async ({ args }) => {
        if (args[0] !== oldId) return;
        await scene.engine.rename(oldId, 'moved-away');
        scene.engine.runContainer(nginx({ ports: {} }));
      },
      { when: 'after' },
    );
    await updateTo(image);
    expect(scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'changed_meanwhile' } }]);
    expect(scene.updates()[0]?.error?.message).toContain('web-nginx-1 was replaced externally');
    expect(scene.updates()[0]?.steps.at(-1)).toMatchObject({ name: 'rollback_health_check', status: 'failed' });
  });
});

describe('an old container that does not pass its health check after the rollback', () => {
  const ASKED = { 'update.probe': 'exec:ask-health', 'update.probe.timeout': '5s' };
  const last = () => scene.mails().at(-1);
  let passes: boolean;
  beforeEach(() => {
    const answer = () => (passes ? {} : { exitCode: 7, stderr: 'connection refused' });
    old.spec.scripts = { 'ask-health': answer };
    scene.engine.runContainer(nginx({ labels: ASKED }));
  });

  it('and did not before the update either is not said to be down: the label may be wrong', async () => {
    passes = false;
    await updateTo(scene.engine.publish('nginx:stable', { scripts: old.spec.scripts }));
    expect(scene.updates()).toMatchObject([
      {
        status: 'rollback_failed',
        error: { code: 'unhealthy_as_before' },
        reason: expect.stringContaining('fails its health check, as before the update'),
      },
    ]);
    expect(scene.updates()[0]?.error?.message).toMatch(
      /^The old version did not pass its health check before the update either \(ask-health exits 7: connection refused\): its label update\.probe may be wrong\. /,
    );
    expect(last()?.subject).toMatch(/rolled back, its health check fails as before the update/);
    expect(last()?.subject).not.toContain('DOWN');
    expect(last()?.text).toMatch(/its label update\.probe may\s+be\s+wrong.*If web-nginx-1 works/s);
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
  });

  it('but did before is down', async () => {
    passes = true;
    scene.engine.onCall('stop', () => void (passes = false));
    await updateTo(scene.engine.publish('nginx:stable', { scripts: old.spec.scripts }));
    expect(scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'rollback_failed' } }]);
    expect(last()?.subject).toContain('DOWN');
    expect(last()?.text).not.toContain('update.probe');
  });

  it('and did not before, but now does not even run, is down', async () => {
    passes = false;
    scene.engine.onCall('stop', () => void (old.spec.health = 'exits'));
    await updateTo(scene.engine.publish('nginx:stable', { scripts: old.spec.scripts }));
    expect(scene.updates()).toMatchObject([{ status: 'rollback_failed', error: { code: 'rollback_failed' } }]);
    expect(last()?.subject).toContain('DOWN');
  });

  it('and did not before is updated all the same: the new version may be what mends it', async () => {
    passes = false;
    await updateTo(scene.engine.publish('nginx:stable', { scripts: { 'ask-health': {} } }));
    expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  });
});

it('nothing is stopped when the engine has created something else than was asked for', async () => {
  const oldId = scene.engine.runContainer(nginx());
  scene.engine.onCall('createContainer', ({ args }) => {
    const [, { body }] = args as Parameters<Scene['engine']['createContainer']>;
    body.HostConfig = { ...body.HostConfig, Memory: 64 * 1024 ** 2 };
  });
  await updateTo(scene.engine.publish('nginx:stable'));
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'recreate_refused' } }]);
  expect(scene.updates()[0]?.error?.message).toContain('Memory');
  expect(scene.engine.lines().filter((line) => /^(stop|rename|start)/.test(line))).toHaveLength(1);
  expect(scene.engine.containerNames()).toEqual(['web-nginx-1']);
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
});

it('an image that does not carry the announced digest is not used', async () => {
  const oldId = scene.engine.runContainer(nginx());
  scene.engine.pull = () => Promise.resolve(old.id);
  await updateTo(scene.engine.publish('nginx:stable'));
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'pull_failed' } }]);
  expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
});

it('an update that cannot begin fails with what kept it, and does not say that its container is gone', async () => {
  scene.engine.runContainer(nginx());
  scene.engine.onCall('inspectContainer', ({ args }) => {
    if (args[0] === 'web-nginx-1') throw new EngineError('engine_refused', 'The engine is out of file descriptors.');
  });
  await updateTo(scene.engine.publish('nginx:stable'));
  expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'engine_refused' }, steps: [] }]);
  expect(scene.mails().at(-1)?.text).toContain('out of file descriptors');
  expect(scene.mails().at(-1)?.text).not.toContain('There is no container');
});

it('after a handover, the new one is ended only when the old one serves again', async () => {
  const Healthcheck = { Test: ['CMD', 'true'], Interval: 1e9, Retries: 30 };
  old = scene.engine.addImage({ reference: 'nginx:stable', health: 'slow', slowMs: 5_000, config: { Healthcheck } });
  const { nginx: oldId } = runBehindEdge(scene.engine);
  await scene.clock.sleep(10_000);
  const seen: (string | undefined)[] = [];
  scene.engine.onCall('stop', ({ args }) => {
    if (args[0] !== oldId) seen.push(scene.engine.container(oldId).State.Health?.Status);
    else scene.engine.host.stop(scene.engine.host.find(scene.engine.container('web-nginx-1').Id), 1);
  });
  await updateTo(scene.engine.publish('nginx:stable'));
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
  expect(seen[0]).toBe('healthy');
});

describe('a configuration that the new nginx refuses', () => {
  it('fails at preflight, before anything is stopped', async () => {
    const oldId = scene.engine.runContainer(nginx({ labels: { 'update.probe': 'nginx' } }));
    scene.engine.host.find(oldId).image.spec.scripts = { 'nginx -t': {} };
    const image = scene.engine.publish('nginx:stable', {
      scripts: { 'nginx -t': { exitCode: 1, stderr: 'unknown directive "more_headers"' } },
    });
    await updateTo(image);
    expect(scene.updates()).toMatchObject([{ status: 'failed', error: { code: 'preflight_failed' } }]);
    expect(scene.engine.container('web-nginx-1').Id).toBe(oldId);
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_available', 'update_failed']);
    expect(scene.mails()[1]?.subject).toContain('update failed, nothing was changed – nothing urgent');
    expect(scene.store.refusals.find('web-nginx-1', image.digest)?.why).toBe('failed');
  });
});
