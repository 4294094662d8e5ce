import { EngineError } from '../../src/domain/errors';
import {
  CONTAINER_IS_GONE,
  CONTAINER_WAS_PAUSED,
  CONTAINER_WAS_STOPPED,
  isFaultOfImage,
} from '../../src/domain/health/health-failure';
import type { Update } from '../../src/domain/update';
import type { FakeEngine } from '../support/fake-engine';
import type { CommandCall, FakeContainer, ImageSpec, Outcome, Scripts } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

const MINUTE = 60e9;
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;

async function updateTo(spec: ImageSpec = {}): Promise<string> {
  const { digest } = scene.engine.publish('nginx:stable', spec);
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  return digest;
}

describe('the time for a HEALTHCHECK', () => {
  it.each([
    ['an interval of 3 minutes', { Test: ['CMD', 'check'], Interval: 3 * MINUTE, Retries: 3 }, 200_000],
    [
      'a start period of 5 minutes',
      { Test: ['CMD', 'check'], Interval: 1e9, StartPeriod: 5 * MINUTE, Retries: 3 },
      280_000,
    ],
  ])('allows for %s of the new image', async (_, Healthcheck, slowMs) => {
    scene.engine.runContainer(nginx());
    await updateTo({ config: { Healthcheck }, health: 'slow', slowMs });
    expect(last()).toMatchObject({ status: 'succeeded' });
  });

  it('is cut short by the label', async () => {
    scene.engine.runContainer(nginx({ labels: { 'update.probe.timeout': '90s' } }));
    await updateTo({
      config: { Healthcheck: { Test: ['CMD', 'check'], Interval: 3 * MINUTE } },
      health: 'slow',
      slowMs: 200_000,
    });
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
  });
});

describe('a port that is still taken after the stop', () => {
  const taken = (): EngineError =>
    new EngineError('engine_refused', 'Bind for 0.0.0.0:80 failed: port is already allocated');

  it('is waited for', async () => {
    scene.engine.runContainer(nginx());
    for (let times = 0; times < 4; times++) scene.engine.failNext('start', taken());
    await updateTo();
    expect(last()).toMatchObject({ status: 'succeeded' });
  });

  it('that stays taken is rolled back, and never counts against the digest', async () => {
    const old = scene.engine.runContainer(nginx());
    scene.engine.onCall('start', ({ args }) => {
      if (args[0] !== old) throw taken();
    });
    const digest = await updateTo();
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'recreate_failed' } });
    expect(scene.store.refusals.find('web-nginx-1', digest)).toBeNull();
  });
});

it.each<[string, ImageSpec]>([
  ['the new image crashes', { health: 'exits' }],
  ['its HEALTHCHECK fails', { health: 'never', config: { Healthcheck: { Test: ['CMD', 'check'], Interval: 1e9 } } }],
])('holds the digest back when %s', async (_, spec) => {
  scene.engine.runContainer(nginx());
  const digest = await updateTo(spec);
  expect(last().status).toBe('rolled_back');
  expect(scene.store.refusals.find('web-nginx-1', digest)).toMatchObject({ why: 'failed' });
});

describe('a person who acts on the new container during its health check', () => {
  type Act = (host: FakeEngine['host'], container: FakeContainer) => void;
  const stop: Act = (host, container) => host.stop(container);
  const start: Act = (host, container) => host.start(container);

  /** Three seconds after the start of the new container, and perhaps again later. */
  function actOnNew(act: Act, laterMs: number | null, actLater: Act = start): void {
    const { engine, clock } = scene;
    const old = engine.runContainer(nginx());
    const acts = async (id: string): Promise<void> => {
      const container = engine.host.find(id);
      await clock.sleep(3_000);
      act(engine.host, container);
      if (laterMs === null) return;
      await clock.sleep(laterMs);
      actLater(engine.host, container);
    };
    engine.onCall('start', ({ args: [id] }) => void (id !== old && acts(id as string)), { when: 'after' });
  }
  const stopNew = (startedAfterMs: number | null): void => actOnNew(stop, startedAfterMs);
  const pauseNew = (resumedAfterMs: number | null): void =>
    actOnNew(
      (host, container) => host.pause(container),
      resumedAfterMs,
      (host, container) => host.pause(container, false),
    );

  it('restarts it: the check goes on', async () => {
    stopNew(2_000);
    await updateTo();
    expect(last()).toMatchObject({ status: 'succeeded', error: null });
  });

  it('stops it: rolled back, and never counts against the digest', async () => {
    stopNew(null);
    const digest = await updateTo();
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(last().error?.message).toContain(CONTAINER_WAS_STOPPED);
    expect(scene.store.refusals.find('web-nginx-1', digest)).toBeNull();
  });

  it('pauses it for a minute: the check goes on', async () => {
    pauseNew(60_000);
    await updateTo();
    expect(last()).toMatchObject({ status: 'succeeded', error: null });
  });

  it('pauses it: rolled back, and never counts against the digest', async () => {
    pauseNew(null);
    const digest = await updateTo();
    expect(last()).toMatchObject({ status: 'rolled_back', error: { code: 'unhealthy' } });
    expect(last().error?.message).toContain(CONTAINER_WAS_PAUSED);
    expect(scene.store.refusals.find('web-nginx-1', digest)).toBeNull();
  });

  it('stops one that crashes again and again: that counts', async () => {
    stopNew(null);
    const digest = await updateTo({ health: 'exits' });
    expect(last()).toMatchObject({ status: 'rolled_back' });
    expect(scene.store.refusals.find('web-nginx-1', digest)).toMatchObject({ why: 'failed' });
  });
});

it.each<[string, boolean, Parameters<typeof isFaultOfImage>[0]]>([
  [
    'a program that is not in the image',
    true,
    {
      code: 'recreate_failed',
      message:
        'OCI runtime create failed: runc create failed: unable to start container process: exec: "serve": executable file not found in $PATH: unknown',
    },
  ],
  ['another architecture', true, { code: 'recreate_failed', message: 'exec /app: exec format error' }],
  ['a port', false, { code: 'recreate_failed', message: 'Bind for 0.0.0.0:80 failed: port is already allocated' }],
  ['a network', false, { code: 'recreate_failed', message: 'network web_default not found' }],
  [
    'a mount',
    false,
    { code: 'recreate_failed', message: 'error mounting "/srv/a" to rootfs at "/a": not a directory: unknown' },
  ],
  [
    'a full disk at the start',
    false,
    { code: 'recreate_failed', message: 'mkdir /var/lib/docker/overlay2/x: no space left on device' },
  ],
  [
    'a full disk in the log',
    false,
    {
      code: 'unhealthy',
      message: 'it exited with code 1.\nThe last lines of its log:\nPANIC: could not write: No space left on device',
    },
  ],
  ['a container removed from outside', false, { code: 'unhealthy', message: `${CONTAINER_IS_GONE}\nits log` }],
  ['a container stopped from outside', false, { code: 'unhealthy', message: `${CONTAINER_WAS_STOPPED}\nits log` }],
  ['a container paused from outside', false, { code: 'unhealthy', message: `${CONTAINER_WAS_PAUSED}\nits log` }],
  ['a refused re-creation', false, { code: 'recreate_refused', message: 'volumes_from' }],
  ['another container', false, { code: 'other_unhealthy', message: 'app is not healthy' }],
  ['an interruption', false, { code: 'interrupted', message: '' }],
])('knows whose fault it is: %s (%s)', (_, expected, failure) => {
  expect(isFaultOfImage(failure)).toBe(expected);
});

describe('nginx -t fails in the new image', () => {
  const failing = { exitCode: 1, stderr: 'nginx: [emerg] host not found in upstream "app"' };
  const NGINX = { Env: ['NGINX_VERSION=1.27.3'] };

  it.each<[string, object, string, boolean]>([
    ['and in the running one: the surroundings are at fault', failing, 'preflight_blocked', false],
    ['and passes in the running one: the image is', { exitCode: 0 }, 'preflight_failed', true],
  ])('%s', async (_, old, code, counts) => {
    scene.engine.addImage({ reference: 'nginx:stable', config: NGINX, scripts: { 'nginx -t': old } });
    scene.engine.runContainer(nginx());
    const digest = await updateTo({ config: NGINX, scripts: { 'nginx -t': failing } });
    expect(last()).toMatchObject({ status: 'failed', error: { code } });
    expect(scene.store.refusals.find('web-nginx-1', digest) !== null).toBe(counts);
  });

  it('only because its configuration is made at the start: it fails in the old image, too', async () => {
    const atStart = ({ container }: CommandCall): Outcome =>
      container.Name.includes('.diun-pilot-check-') ? failing : {};
    scene.engine.addImage({ reference: 'nginx:stable', config: NGINX, scripts: { 'nginx -t': atStart } });
    scene.engine.runContainer(nginx());
    await updateTo({ config: NGINX, scripts: { 'nginx -t': atStart } });
    expect(last()).toMatchObject({ status: 'succeeded' });
    const { detail } = last().steps.find(({ name }) => name === 'preflight') ?? {};
    expect(detail).toContain('could not check the new image');
  });
});

describe('the one-off of nginx -t', () => {
  const Env = ['NGINX_VERSION=1.27.3'];
  const wrong = { exitCode: 1, stderr: 'nginx: invalid option: "nginx"' };

  it.each<[string, string[], Scripts]>([
    [
      'does not run the entrypoint of an image',
      ['nginx', '-g', 'daemon off;'],
      { 'nginx -t': {}, 'nginx -g daemon off; nginx -t': wrong },
    ],
    ['nor one that starts a server', ['/init'], { 'nginx -t': {}, '/init nginx -t': { hangs: true } }],
    [
      'runs the official entrypoint, which fills in the templates',
      ['/docker-entrypoint.sh'],
      { 'nginx -t': wrong, '/docker-entrypoint.sh nginx -t': {} },
    ],
  ])('%s', async (_, Entrypoint, scripts) => {
    const image = { config: { Env, Entrypoint }, scripts };
    scene.engine.addImage({ reference: 'nginx:stable', ...image });
    scene.engine.runContainer(nginx());
    await updateTo(image);
    expect(last()).toMatchObject({ status: 'succeeded', error: null });
  });

  it('does not run the entrypoint of the operator', async () => {
    const scripts = { 'nginx -t': {}, 'sh -c envsubst && exec nginx nginx -t': { hangs: true } };
    scene.engine.addImage({ reference: 'nginx:stable', config: { Env }, scripts });
    scene.engine.runContainer(nginx({ entrypoint: ['sh', '-c', 'envsubst && exec nginx'] }));
    await updateTo({ config: { Env }, scripts });
    expect(last()).toMatchObject({ status: 'succeeded', error: null });
  });
});
