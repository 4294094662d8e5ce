import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import type { ContainerSpec } from '../support/fake-engine-types';
import { runForge } from '../support/forge-scene';
import { nginx, openScene, type Scene } from '../support/scene';

// `docker compose restart` and `start` act on every container of a service, also on the old one that a soak keeps.

const NAME = 'web-nginx-1';
const MINUTE = 60_000;
let scene: Scene;
let oldId: string;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

/** For one more case of the same test. */
function reopen(): void {
  scene.close();
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
}

const last = (): Update => scene.updates().at(-1) as Update;
const soak = () => scene.store.soaks.of(last().id);
const running = (): boolean[] => [oldId, NAME].map((id) => scene.engine.isRunning(id));
const start = (id: string): void => scene.engine.host.start(scene.engine.host.find(id));
const stop = (id: string): void => scene.engine.host.stop(scene.engine.host.find(id));

async function update(fields: Partial<ContainerSpec>): Promise<void> {
  const labels = { 'update.soak': '30m' };
  oldId = scene.engine.runContainer(nginx({ restart: 'always', ...fields, labels }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', {}).digest);
  await scene.settle();
}
async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}

const withData = { ports: {}, volumes: { pages: '/data' } };

it('stops the old container again when another process starts it next to the new one', async () => {
  await update(withData);
  start(oldId);
  await pass(1_000);
  expect([...running(), soak()?.status]).toEqual([false, true, 'watching']);
  start(oldId);
  await pass(1_000);
  expect(running()).toEqual([false, true]);
  const said = `was started externally next to ${NAME}, and was stopped again.`;
  expect(last().reason.split(said)).toHaveLength(2);
  await pass(30 * MINUTE);
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('gives it the policy `no` again, so that no engine starts it', async () => {
  await update(withData);
  await scene.engine.updateContainer(oldId, { RestartPolicy: { Name: 'always' } });
  scene.engine.host.restartDaemon('SIGKILL');
  await pass(1_000);
  expect(running()).toEqual([false, true]);
  expect(scene.engine.container(oldId).HostConfig.RestartPolicy?.Name).toBe('no');
});

it('starts the new container whose port the old one took', async () => {
  await update({});
  stop(NAME);
  start(oldId);
  expect(() => start(NAME)).toThrow('port is already allocated');
  scene.engine.host.find(NAME).startError = 'port is already allocated';
  await pass(MINUTE);
  expect([...running(), soak()?.status, last().status]).toEqual([false, true, 'watching', 'succeeded']);
});

/** As `docker compose restart` leaves them. */
function portTaken(): void {
  stop(NAME);
  start(oldId);
  scene.engine.host.find(NAME).startError = 'port is already allocated';
}

it('starts it although the engine refuses any one call of that (seed 12577)', async () => {
  for (let which = 1; which <= 9; which++) {
    reopen();
    await update({});
    portTaken();
    const at = scene.engine.callCount + which;
    scene.engine.onCall(at, () => {
      throw new EngineError('engine_refused', 'not now');
    });
    await pass(1_000);
    await pass(1_000);
    await pass(30_000);
    expect([which, ...running(), last().status]).toEqual([which, false, true, 'succeeded']);
  }
});

it('starts it although the process dies at any call of that', async () => {
  for (let which = 1; which <= 9; which++) {
    reopen();
    await update({});
    portTaken();
    await Promise.race([scene.engine.crashAt(scene.engine.callCount + which, 'after'), pass(1_000)]);
    scene = scene.restart();
    await pass(30_000);
    expect([which, ...running(), last().status]).toEqual([which, false, true, 'succeeded']);
  }
});

it('starts it although the host restarts before the old one is stopped again (seed 51735)', async () => {
  await update({ restart: 'unless-stopped' });
  portTaken();
  scene.engine.host.restartDaemon('SIGKILL');
  expect(running()).toEqual([false, false]);
  scene = scene.restart();
  await pass(1_000);
  expect([...running(), last().status]).toEqual([false, true, 'succeeded']);
});

it('leaves it to the soak where it cannot be started', async () => {
  await update({ restart: 'unless-stopped' });
  const newId = scene.engine.container(NAME).Id;
  portTaken();
  scene.engine.host.restartDaemon('SIGKILL');
  let starts = 0;
  scene.engine.onCall('start', ({ args: [id] }) => {
    if (id === newId && ++starts) throw new EngineError('engine_refused', 'port is already allocated');
  });
  await pass(MINUTE);
  expect(starts).toBeGreaterThan(0);
  expect([scene.engine.container(NAME).Id, scene.engine.isRunning(oldId)]).toEqual([oldId, true]);
  expect(last().status).toBe('rolled_back');
});

it('leaves it alone where the operator runs it in place of the new one', async () => {
  await update(withData);
  stop(NAME);
  start(oldId);
  await pass(MINUTE);
  expect(running()).toEqual([true, false]);
  start(NAME);
  await pass(1_000);
  expect(running()).toEqual([false, true]);
});

it('says where it is kept that it could not be stopped', async () => {
  await update(withData);
  scene.engine.onCall('stop', () => {
    throw new EngineError('engine_refused', 'The engine is busy.');
  });
  start(oldId);
  await pass(MINUTE);
  const reason = 'It was started externally and could not be stopped: The engine is busy.';
  expect(scene.store.keptContainers.all()).toMatchObject([{ containerId: oldId, reason }]);
});

it('a backup next to which it ran is not quiesced', async () => {
  const forge = runForge({ labels: { 'update.soak': '1d' } });
  const { engine, store } = forge.scene;
  const { Id } = engine.container('forge-gitea-1');
  engine.publish('gitea:1', { ...forge.specs['gitea:1'] });
  await forge.update('forge-gitea-1');
  expect(store.backups.list(1)).toMatchObject([{ quiesced: true }]);
  engine.publish('postgres:15', { ...forge.specs['postgres:15'] });
  engine.onCall('archive', () => engine.host.start(engine.host.find(Id)), { once: true });
  await forge.update('forge-db-1');
  expect(forge.scene.updates().at(-1)?.status).toBe('succeeded');
  expect(store.backups.list(1)).toMatchObject([{ quiesced: false }]);
  await forge.scene.clock.advance(1_000);
  await forge.scene.settle();
  expect(engine.isRunning(Id)).toBe(false);
  forge.scene.close();
});
