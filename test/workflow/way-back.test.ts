import { EngineError } from '../../src/domain/errors';
import { nextStart } from '../support/next-start';
import { nginx, openScene, type Scene } from '../support/scene';

// Until a new container was seen healthy, the old one is the way back: only the operator removes it, or a month.

const NAME = 'web-nginx-1';
const MINUTE = 60_000;
const MONTH = 30 * 24 * 60 * MINUTE;
let scene: Scene;
let oldId: string;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  oldId = scene.engine.runContainer(nginx({ ports: {}, restart: 'always' }));
});
afterEach(() => scene.close());

const last = () => scene.updates().at(-1);
const old = () => scene.engine.host.containers.get(oldId);
async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}
/** The new container is unhealthy, and the engine cannot stop it. */
async function failsAndHangs(): Promise<void> {
  scene.engine.onCall('stop', ({ args: [id] }) => {
    if (id !== oldId && scene.engine.container(NAME).Id === id)
      throw new EngineError('engine_refused', 'tried to kill container, but did not receive an exit event');
  });
  const config = { Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 } };
  scene.hear(
    'docker.io/library/nginx:stable',
    scene.engine.publish('nginx:stable', { health: 'never', config }).digest,
  );
  await scene.settle();
  expect(last()).toMatchObject({ status: 'rollback_failed' });
}

it('keeps the old container of a rollback that failed, stopped and listed, and says how to bring it back', async () => {
  await failsAndHangs();
  const aside = old()?.inspect.Name.slice(1) ?? '';
  expect(aside).toContain('.diun-pilot-old-');
  expect(scene.store.keptContainers.all()).toMatchObject([{ containerId: oldId, name: aside, leftover: false }]);
  const commands = `docker stop ${NAME} && docker rename ${NAME} ${NAME}.replaced && docker rename ${aside} ${NAME} && docker start ${NAME}`;
  expect(last()?.reason).toContain(commands);
  expect(last()?.reason).not.toContain('rm -f');
  expect(scene.mails().at(-1)?.text.replace(/\s+/g, ' ')).toContain(commands);
  await pass(11 * MINUTE);
  scene = await nextStart(scene);
  expect(scene.engine.isRunning(oldId)).toBe(false);
  await pass(MONTH);
  expect(old()).toBeUndefined();
});

it('keeps it where the end of its update did not come to listing it', async () => {
  let refuses = false;
  scene.engine.onCall('stop', ({ args: [id] }) => void (refuses ||= id !== oldId));
  scene.engine.onCall('containers', () => {
    if (refuses) throw new EngineError('engine_refused', 'The Docker Engine did not complete the call within 60 s.');
  });
  await failsAndHangs();
  expect(scene.store.keptContainers.all()).toEqual([]);
  scene = await nextStart(scene);
  await pass(11 * MINUTE);
  expect(scene.store.keptContainers.all()).toMatchObject([{ containerId: oldId, leftover: false }]);
  expect(scene.engine.isRunning(oldId)).toBe(false);
});

it('keeps it when another process put a container in its place before the new one was healthy', async () => {
  const { engine } = scene;
  const replaceNew = async (): Promise<void> => {
    await engine.stop(engine.container(NAME).Id);
    await engine.remove(engine.container(NAME).Id);
    engine.runContainer(nginx({ ports: {} }));
  };
  engine.onCall('start', replaceNew, { when: 'after', once: true });
  scene.hear('docker.io/library/nginx:stable', engine.publish('nginx:stable').digest);
  await scene.settle();
  expect(last()).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
  await pass(11 * MINUTE);
  expect(last()?.reason).toContain(`is kept if it exists: ${old()?.inspect.Name.slice(1)}.`);
});

it('no longer lists it once the operator has brought it back', async () => {
  await failsAndHangs();
  const { engine } = scene;
  engine.host.stop(engine.host.find(NAME));
  await engine.rename(engine.container(NAME).Id, `${NAME}.replaced`);
  await engine.rename(oldId, NAME);
  await engine.start(oldId);
  await scene.settle();
  expect(scene.store.keptContainers.all()).toEqual([]);
  expect(engine.container(NAME).HostConfig.RestartPolicy?.Name).toBe('always');
});

it('is no longer listed, either, where it has no restart policy to put back', async () => {
  await failsAndHangs();
  const { engine } = scene;
  scene.store.disarmed.remove(oldId);
  engine.host.stop(engine.host.find(NAME));
  await engine.rename(engine.container(NAME).Id, `${NAME}.replaced`);
  await engine.rename(oldId, NAME);
  scene = await nextStart(scene);
  expect(scene.store.keptContainers.all()).toEqual([]);
});
