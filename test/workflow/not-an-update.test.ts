import { handleInbox } from '../../src/decisions/handle-inbox';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import { nginx, openScene, type Scene } from '../support/scene';

const FILES = { 'backup.kind': 'files', 'backup.paths': '/data' };
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;

async function announce(digest = scene.engine.publish('nginx:stable').digest): Promise<string> {
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  return digest;
}

async function reconcileDaily(days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
    await scene.settle();
    await scene.clock.advance(24 * 3_600_000);
  }
}

describe('a container that does not run', () => {
  it('is reported once, without a backup or a mail, however often it is found', async () => {
    scene.engine.runContainer(nginx({ name: 'job', ports: {}, restart: 'no', labels: FILES, stopped: true }));
    await announce();
    await reconcileDaily(3);
    expect(scene.updates()).toMatchObject([
      {
        container: 'job',
        status: 'ignored',
        reason: expect.stringMatching(/job does not run \(created\).*docker start job/),
      },
    ]);
    expect(scene.store.backups.list(10)).toEqual([]);
    expect(scene.mails()).toEqual([]);
  });

  it('is also reported once when only reconcile finds it', async () => {
    scene.engine.runContainer(nginx({ name: 'job', ports: {}, restart: 'no', stopped: true }));
    scene.engine.publish('nginx:stable');
    await reconcileDaily(3);
    expect(scene.updates()).toMatchObject([{ container: 'job', status: 'ignored' }]);
    expect(scene.mails()).toEqual([]);
  });

  it('is not asked about for approval, and refuses a request with the remedy', async () => {
    const labels = { 'update.policy': 'manual' };
    scene.engine.runContainer(nginx({ name: 'job', ports: {}, restart: 'no', labels, stopped: true }));
    await announce();
    expect(last().status).toBe('ignored');
    await expect(requestUpdate(scene.deps, { container: 'job' })).rejects.toMatchObject({
      code: 'container_not_running',
    });
  });

  it('that stopped after the decision ends before the backup', async () => {
    const id = scene.engine.runContainer(nginx({ labels: FILES }));
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await handleInbox(scene.deps);
    await scene.engine.stop(id);
    await scene.settle();
    expect(last()).toMatchObject({ status: 'failed', error: { code: 'container_not_running' }, steps: [] });
    expect(scene.store.backups.list(10)).toEqual([]);
    expect(scene.store.refusals.all()).toEqual([]);
  });
});

describe('a Swarm task', () => {
  it('is ignored as what it is', async () => {
    const { digest } = scene.engine.host.images.find('nginx:stable');
    const labels = { 'com.docker.swarm.task.id': 't1', 'com.docker.swarm.service.name': 'web_nginx' };
    scene.engine.runContainer(nginx({ name: 'web_nginx.1.t1', ports: {}, image: `nginx:stable@${digest}`, labels }));
    await announce();
    expect(last()).toMatchObject({
      status: 'ignored',
      reason: expect.stringMatching(/web_nginx\.1\.t1 is a task of the Swarm service web_nginx/),
    });
    await expect(
      requestUpdate(scene.deps, { container: 'web_nginx.1.t1', image: 'nginx:stable' }),
    ).rejects.toMatchObject({ code: 'swarm_task' });
  });
});

describe('the container through which diun-pilot reaches the engine', () => {
  const proxy = (labels: Record<string, string> = {}): void => {
    scene.engine.runContainer({ ...nginx({ ports: {}, labels }), name: 'stack-socket-proxy-1', networks: ['socket'] });
  };

  it.each([
    ['its name', 'stack-socket-proxy-1'],
    ['the name of its service', 'nginx'],
    ['its address', null],
  ])('is refused like diun-pilot itself, known by %s', async (_, host) => {
    const own = scene.engine.runContainer({ name: 'pilot', image: 'nginx:stable', networks: ['socket'] });
    proxy();
    const { IPAddress } = scene.engine.container('stack-socket-proxy-1').NetworkSettings.Networks['socket'] ?? {};
    scene.engine.address = { host: host ?? IPAddress ?? '', port: '2375' };
    expect(scene.engine.address.host).not.toBe('');
    scene.deps.selfId = own;
    await announce();
    expect(last()).toMatchObject({
      status: 'ignored',
      reason: expect.stringMatching(/reaches Docker through stack-socket-proxy-1/),
    });
    await expect(requestUpdate(scene.deps, { container: 'stack-socket-proxy-1' })).rejects.toMatchObject({
      code: 'container_is_engine_door',
    });
  });

  it('is known from the host by the port that it publishes', async () => {
    scene.engine.runContainer(nginx({ ports: { 2375: 2375 } }));
    scene.engine.address = { host: '127.0.0.1', port: '2375' };
    await announce();
    expect(last()).toMatchObject({ status: 'ignored', reason: expect.stringMatching(/reaches Docker through/) });
  });

  it('is not a container of another network that only has the same name as an alias', async () => {
    const own = scene.engine.runContainer({ name: 'pilot', image: 'nginx:stable', networks: ['socket'] });
    scene.engine.runContainer({ ...nginx({ ports: {} }), networks: ['elsewhere'] });
    scene.engine.address = { host: 'web-nginx-1', port: '2375' };
    scene.deps.selfId = own;
    await announce();
    expect(last()).toMatchObject({ status: 'succeeded' });
  });
});
