import { decideById } from '../../src/decisions/approve';
import { codeOf } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { reconcile } from '../../src/decisions/reconcile';
import { requestUpdate } from '../../src/decisions/request-update';
import { expectEndsHaveTimes } from '../support/expect-ends-have-times';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => {
  expectEndsHaveTimes(scene);
  scene.close();
});

const manual = nginx({ labels: { 'update.policy': 'manual' } });
const last = (): Update | undefined => scene.updates().at(-1);

async function hear(digest: string, image = 'docker.io/library/nginx:stable'): Promise<void> {
  scene.hear(image, digest);
  await scene.settle();
}

it('offers a manual update by mail and does nothing', async () => {
  const id = scene.engine.runContainer(manual);
  const { digest } = scene.engine.publish('nginx:stable');
  await hear(digest);
  expect(scene.updates()).toMatchObject([
    { status: 'awaiting_approval', approval: { status: 'waiting', expiresAt: '2026-01-08T03:00:00.000Z' } },
  ]);
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available']);
  expect(scene.engine.container('web-nginx-1').Id).toBe(id);
  expect(scene.engine.lines()).toEqual([]);
});

it.each(['diun', 'reconcile'])(
  'tells first in the plan that the container fails its own health check (%s)',
  async (source) => {
    const labels = { 'update.policy': 'manual', 'update.probe': 'exec:not-there' };
    scene.engine.runContainer(nginx({ labels }));
    const { digest } = scene.engine.publish('nginx:stable');
    if (source === 'diun') await hear(digest);
    else await reconcile(scene.deps);
    expect(scene.store.updates.plan(last()?.id ?? '')?.risks[0]).toMatch(
      /^web-nginx-1 failed its health check when this update was decided \(not-there exits 127: .*\).*its label update\.probe is wrong/,
    );
    expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain('web-nginx-1 failed its health check');
  },
);

it('supersedes what waits when a newer digest comes', async () => {
  scene.engine.runContainer(manual);
  await hear(scene.engine.publish('nginx:stable').digest);
  await hear(scene.engine.publish('nginx:stable', { logs: ['other'] }).digest);
  expect(scene.updates()).toMatchObject([
    { status: 'superseded', approval: { status: 'superseded' } },
    { status: 'awaiting_approval' },
  ]);
});

it('leaves a container of an older tag, which requested no other tags, where a new digest of another container’s tag is', async () => {
  for (const [name, image] of [
    ['a', 'nginx:1.26.2'],
    ['b', 'nginx:1.27.3'],
  ] as const) {
    scene.engine.addImage({ reference: image });
    scene.engine.runContainer(nginx({ name, image, ports: {} }));
  }
  await hear(scene.engine.publish('nginx:1.27.3').digest, 'docker.io/library/nginx:1.27.3');
  expect(scene.engine.container('a').Config.Image).toBe('nginx:1.26.2');
  expect(scene.updates()).toMatchObject([{ container: 'b', status: 'succeeded' }]);
});

it('ends an approval that nobody gave in time', async () => {
  scene.engine.runContainer(manual);
  await hear(scene.engine.publish('nginx:stable').digest);
  await scene.clock.advance(72 * 3_600_000);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'expired', approval: { status: 'expired' } }]);
});

it('shows the test notification and an unknown image as ignored, with the reason', async () => {
  await hear(`sha256:${'1'.repeat(64)}`, 'docker.io/diun/testnotif:latest');
  await hear(`sha256:${'2'.repeat(64)}`, 'docker.io/library/redis:7');
  expect(scene.updates().map(({ container, status, reason }) => [container, status, reason])).toEqual([
    [null, 'ignored', expect.stringContaining('diun notif test')],
    [null, 'ignored', expect.stringContaining('No watched container')],
  ]);
});

it('keeps events while the engine is away, and decides when it is back', async () => {
  scene.engine.runContainer(nginx());
  const { digest } = scene.engine.publish('nginx:stable');
  scene.engine.reachable = false;
  scene.hear('docker.io/library/nginx:stable', digest);
  await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
  expect(scene.updates()).toEqual([]);
  scene.engine.reachable = true;
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
});

it('takes no policy from the labels of an image', async () => {
  scene.engine.addImage({ reference: 'nginx:stable', config: { Labels: { 'update.policy': 'automatic' } } });
  const { labels, ...spec } = nginx();
  scene.engine.runContainer({ ...spec, labels: { ...labels, 'update.policy': 'automatic' } });
  await hear(scene.engine.publish('nginx:stable').digest);
  expect(scene.updates()).toMatchObject([{ status: 'awaiting_approval', policy: 'manual' }]);
});

it('takes a policy that there is not for manual, and says so as an error in the log', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'automtic' } }));
  await hear(scene.engine.publish('nginx:stable').digest);
  expect(scene.updates()).toMatchObject([{ status: 'awaiting_approval', policy: 'manual' }]);
  const told = { level: 'error', container: 'web-nginx-1', label: 'update.policy', value: 'automtic' };
  expect(scene.log.filter(({ label }) => label === 'update.policy')).toMatchObject([told]);
});

it('mails how it went of what somebody approved, also where the policy is automatic', async () => {
  scene.engine.addImage({ reference: 'nginx:1.27.0' });
  scene.engine.runContainer(nginx({ image: 'nginx:1.27.0' }));
  await hear(scene.engine.publish('nginx:2.0.0').digest, 'docker.io/library/nginx:2.0.0');
  await decideById(scene.deps, last()?.id ?? '', 'approve', 'api');
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', policy: 'automatic' }]);
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available', 'update_succeeded']);
});

describe('the operator', () => {
  const ask = async (container: string, image?: string): Promise<Update> => {
    const update = await requestUpdate(scene.deps, { container, image });
    await scene.settle();
    return scene.store.updates.get(update.id) as Update;
  };

  it('starts what waits for approval, and is told by mail how it went', async () => {
    scene.engine.runContainer(manual);
    await hear(scene.engine.publish('nginx:stable').digest);
    const update = await ask('web-nginx-1');
    expect(scene.updates()).toHaveLength(1);
    expect(update).toMatchObject({ status: 'succeeded', source: 'diun', approval: { status: 'approved' } });
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available', 'update_succeeded']);
  });

  it('is told by mail how it went where the policy is automatic, and is offered nothing that he asked for', async () => {
    scene.engine.runContainer(nginx());
    scene.engine.publish('nginx:stable');
    expect(await ask('web-nginx-1')).toMatchObject({ status: 'succeeded', policy: 'automatic', approval: null });
    expect(scene.mails().map(({ kind }) => kind)).toEqual(['update_succeeded']);
  });

  it('starts what waits of another tag, where his own has nothing new and he names no image', async () => {
    scene.engine.addImage({ reference: 'nginx:1.27.3' });
    const labels = { 'update.policy': 'manual', 'diun.watch_repo': 'true' };
    scene.engine.runContainer(nginx({ image: 'nginx:1.27.3', labels }));
    scene.engine.publish('nginx:1.27.3', { digest: scene.engine.host.images.registryDigest('nginx:1.27.3') });
    await hear(scene.engine.publish('nginx:1.27.4').digest, 'nginx:1.27.4');
    expect(last()?.status).toBe('awaiting_approval');
    expect(await ask('web-nginx-1', 'nginx:1.27.3')).toMatchObject({ status: 'ignored' });
    expect(await ask('web-nginx-1')).toMatchObject({
      status: 'succeeded',
      to: { reference: 'nginx:1.27.4' },
      approval: { status: 'approved' },
    });
  });

  it.each([
    ['waits for approval', { 'update.policy': 'manual' }],
    ['is queued for its window', { 'update.window': 'Sun 05:00-06:00' }],
  ])('keeps the tag that was requested, where another tag of the same digest %s', async (_, labels) => {
    scene.engine.addImage({ reference: 'nginx:1.27' });
    scene.engine.runContainer(nginx({ image: 'nginx:1.27', labels: { 'diun.watch_repo': 'true', ...labels } }));
    const { digest } = scene.engine.publish('nginx:1.28');
    await hear(digest, 'nginx:1.28');
    scene.engine.publish('nginx:1.27', { digest });
    expect(await ask('web-nginx-1', 'nginx:1.27')).toMatchObject({
      status: 'succeeded',
      to: { reference: 'nginx:1.27', digest },
    });
    expect(scene.engine.container('web-nginx-1').Config.Image).toBe('nginx:1.27');
  });

  it('tries a digest again that failed, and a good end takes it out of quarantine', async () => {
    scene.engine.runContainer(nginx());
    const { digest } = scene.engine.publish('nginx:stable', { health: 'exits' });
    await hear(digest);
    expect(last()?.status).toBe('rolled_back');
    expect(scene.store.refusals.all()).toHaveLength(1);
    scene.engine.publish('nginx:stable', { digest, logs: ['mended'] });
    expect(await ask('web-nginx-1')).toMatchObject({ source: 'operator' });
  });

  it('is told that nothing is to be done', async () => {
    scene.engine.runContainer(nginx());
    scene.engine.publish('nginx:stable', { digest: scene.engine.host.images.registryDigest('nginx:stable') });
    expect(await ask('web-nginx-1')).toMatchObject({
      status: 'ignored',
      reason: expect.stringContaining('already runs'),
    });
  });

  it.each([
    ['nobody', undefined, 'container_not_found'],
    ['unwatched', undefined, 'container_not_watched'],
    ['web-nginx-1', 'redis:7', 'different_repository'],
    ['web-nginx-1', 'NGINX:stable', 'invalid_reference'],
    ['ignored', undefined, 'policy_ignore'],
    ['removes-itself', undefined, 'auto_remove'],
  ])('is refused for %s %s: %s', async (container, image, code) => {
    scene.engine.runContainer(nginx());
    scene.engine.runContainer({ name: 'unwatched', image: 'nginx:stable' });
    scene.engine.runContainer(nginx({ name: 'ignored', ports: {}, labels: { 'update.policy': 'ignore' } }));
    scene.engine.runContainer(
      nginx({ name: 'removes-itself', ports: {}, restart: 'no', hostConfig: { AutoRemove: true } }),
    );
    scene.engine.publish('nginx:stable');
    await expect(requestUpdate(scene.deps, { container, image })).rejects.toMatchObject({ code });
    expect(scene.updates().filter(({ status }) => status !== 'ignored')).toEqual([]);
  });

  it('cannot start a second update of a container while one runs', async () => {
    scene.engine.runContainer(nginx());
    const { digest } = scene.engine.publish('nginx:stable');
    let refused: unknown;
    scene.engine.onCall(
      'createContainer',
      async () => {
        refused = await requestUpdate(scene.deps, { container: 'web-nginx-1', image: 'nginx:stable' }).catch(codeOf);
      },
      { once: true },
    );
    await hear(digest);
    expect(refused).toBe('update_running');
  });
});
