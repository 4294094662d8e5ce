import { keepAside } from '../../src/containers/kept-containers';
import { EngineError } from '../../src/domain/errors';
import { workOnce } from '../../src/queue/worker';
import { nextStart } from '../support/next-start';
import { nginx, openScene, type Scene } from '../support/scene';

const NAME = 'web-nginx-1';
const DAY_MS = 86_400_000;
let scene: Scene;

beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ ports: {}, restart: 'always' }));
});
afterEach(() => scene.close());

async function update(): Promise<void> {
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
}

it('says in the verdict that the old container could not be removed, keeps it stopped and listed, and removes it at the next start', async () => {
  scene.engine.failNext('remove', new EngineError('engine_refused', 'device or resource busy'));
  await update();
  const [ended] = scene.updates();
  const aside = scene.engine.containerNames().find((name) => name !== NAME) ?? '';
  expect(ended).toMatchObject({ status: 'succeeded', reason: expect.stringContaining(`${aside} was not removed`) });
  const { State, HostConfig } = scene.engine.container(aside);
  expect([State.Running, HostConfig.RestartPolicy?.Name]).toEqual([false, 'no']);
  expect(scene.store.keptContainers.all()).toMatchObject([{ name: aside, container: NAME, leftover: true }]);
  scene = await nextStart(scene);
  expect(scene.engine.containerNames()).toEqual([NAME]);
  expect(scene.store.keptContainers.all()).toEqual([]);
  expect(scene.store.disarmed.all()).toEqual([]);
});

it('removes what was left over after ten minutes, without a new start', async () => {
  scene.engine.failNext('remove', new EngineError('engine_refused', 'device or resource busy'));
  await update();
  expect(scene.engine.containerNames()).toHaveLength(2);
  await scene.clock.advance(10 * 60_000);
  await scene.settle();
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('finds at its start a container that an update left without a record, even one that runs, and removes it', async () => {
  await update();
  const [ended] = scene.updates();
  const aside = `${NAME}.diun-pilot-old-${ended?.id.slice(-10).toLowerCase()}`;
  scene.engine.runContainer({ name: aside, image: 'nginx:stable', restart: 'always' });
  scene = await nextStart(scene);
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('leaves alone what belongs to an update that it does not know', async () => {
  const name = `${NAME}.diun-pilot-old-zzzzzzzzzz`;
  scene.engine.runContainer({ name, image: 'nginx:stable' });
  scene = await nextStart(scene);
  expect(scene.engine.containerNames()).toEqual([NAME, name].sort());
  expect(scene.log.some(({ message }) => message.includes('unknown update'))).toBe(true);
});

it('keeps one on purpose until its time, stopped whatever its policy, through restarts of both', async () => {
  const containerId = scene.engine.runContainer({
    name: `${NAME}.diun-pilot-old-0123456789`,
    image: 'nginx:stable',
    restart: 'always',
  });
  const keepUntil = new Date(scene.clock.now().getTime() + DAY_MS).toISOString();
  const kept = { containerId, container: NAME, name: 'aside', updateId: 'u', reason: 'For a day.', leftover: false };
  await keepAside(scene.deps, { ...kept, keepUntil });
  scene.engine.host.restartDaemon('SIGKILL');
  scene = await nextStart(scene);
  expect(scene.engine.isRunning(containerId)).toBe(false);
  expect(scene.store.keptContainers.all()).toMatchObject([{ containerId, keepUntil, leftover: false }]);
  await scene.clock.advance(DAY_MS);
  await scene.settle();
  expect(scene.engine.containerNames()).toEqual([NAME]);
});

it('does not remove one that the operator has given another name', async () => {
  const containerId = scene.engine.runContainer({ name: 'mine', image: 'nginx:stable', restart: 'always' });
  const kept = { containerId, container: NAME, name: 'aside', updateId: 'u', reason: 'For a day.', leftover: false };
  await keepAside(scene.deps, { ...kept, keepUntil: scene.clock.now().toISOString() });
  await scene.settle();
  expect(scene.engine.container('mine').HostConfig.RestartPolicy?.Name).toBe('always');
  expect(scene.store.keptContainers.all()).toEqual([]);
});

it('costs the same few engine calls in an idle turn, however many are kept', async () => {
  const { engine, clock, deps } = scene;
  const keepUntil = new Date(clock.now().getTime() + DAY_MS).toISOString();
  for (let each = 10; each < 30; each++) {
    const name = `${NAME}.diun-pilot-old-01234567${each}`;
    const containerId = engine.runContainer({ name, image: 'nginx:stable', restart: 'always' });
    const kept = { container: NAME, name, updateId: 'u', reason: 'For a day.', leftover: false };
    await keepAside(deps, { ...kept, containerId, keepUntil });
  }
  const before = engine.callCount;
  for (let turn = 0; turn < 10; turn++) expect(await workOnce(deps)).toBe(false);
  expect(engine.callCount - before).toBeLessThanOrEqual(10);
});

it('restores the restart policy of one that the operator has given another name and started', async () => {
  const name = `${NAME}.diun-pilot-old-0123456789`;
  const containerId = scene.engine.runContainer({ name, image: 'nginx:stable', restart: 'always' });
  const kept = { containerId, container: NAME, name, updateId: 'u', reason: 'For a day.', leftover: false };
  await keepAside(scene.deps, { ...kept, keepUntil: new Date(scene.clock.now().getTime() + DAY_MS).toISOString() });
  await scene.engine.rename(containerId, 'mine');
  await scene.engine.start(containerId);
  await scene.settle();
  expect(scene.engine.container('mine').HostConfig.RestartPolicy?.Name).toBe('always');
});
