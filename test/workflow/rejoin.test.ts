import { EngineError } from '../../src/domain/errors';
import { rejoinGuests } from '../../src/networks/watch-networks';
import { startWorker } from '../../src/queue/worker';
import { eventually } from '../support/eventually';
import { nginx, openScene, runBehindEdge, type Scene } from '../support/scene';

let scene: Scene;
let ids: { edge: string; nginx: string };
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  ids = runBehindEdge(scene.engine);
});
afterEach(() => scene.close());

/** The owner ends and is started again, as by its restart policy. */
async function restartEdge(): Promise<void> {
  await scene.clock.sleep(1_000);
  scene.engine.host.stop(scene.engine.host.find(ids.edge), 137);
  scene.engine.host.start(scene.engine.host.find(ids.edge));
}

const restarts = (): string[] => scene.engine.lines().filter((line) => line.startsWith('restart'));
const startOf = (id: string): string => scene.engine.container(id).State.StartedAt;

it('restarts a container whose network was started again, once, and records it', async () => {
  await restartEdge();
  expect(startOf(ids.nginx) < startOf(ids.edge)).toBe(true);
  expect(await rejoinGuests(scene.deps)).toBe(true);
  expect(await rejoinGuests(scene.deps)).toBe(true);
  expect(restarts()).toEqual(['restart web-nginx-1']);
  expect(startOf(ids.nginx) >= startOf(ids.edge)).toBe(true);
  expect(scene.store.incidents.recent(10)).toMatchObject([
    { container: 'web-nginx-1', words: expect.stringContaining('web-edge-1') },
  ]);
  expect(JSON.stringify(scene.log)).toContain('re-attached to its network');
  expect(scene.mails()).toEqual([]);
});

it('leaves alone what nobody watches', async () => {
  const labels = { 'diun.enable': 'false' };
  const hostConfig = { NetworkMode: `container:${ids.edge}` };
  scene.engine.runContainer({ name: 'other', image: 'nginx:stable', labels, hostConfig });
  await restartEdge();
  await rejoinGuests(scene.deps);
  expect(restarts()).toEqual(['restart web-nginx-1']);
});

it('mends what it could not restart while the network was down, and tells of it only once', async () => {
  await restartEdge();
  scene.engine.onCall('restart', () => scene.engine.host.stop(scene.engine.host.find(ids.edge)), { once: true });
  expect(await rejoinGuests(scene.deps)).toBe(false);
  expect(scene.engine.isRunning(ids.nginx)).toBe(false);
  expect(scene.mails()).toMatchObject([
    { kind: 'network_lost', subject: expect.stringContaining('diun-pilot keeps trying') },
  ]);
  expect(scene.mails()[0]?.text).toContain('diun-pilot keeps trying');
  scene.engine.host.start(scene.engine.host.find(ids.edge));
  expect(await rejoinGuests(scene.deps)).toBe(true);
  expect(scene.engine.isRunning(ids.nginx)).toBe(true);
  expect(scene.store.notices.all()).toEqual([]);
  expect(scene.mails()).toHaveLength(1);
});

it('says what to do, once, when the owner was made anew: no restart can help', async () => {
  scene.engine.host.containers.delete(ids.edge);
  scene.engine.runContainer({ name: 'web-edge-1', image: 'edge:1' });
  await rejoinGuests(scene.deps);
  await rejoinGuests(scene.deps);
  expect(restarts()).toEqual([]);
  expect(scene.mails()).toMatchObject([{ kind: 'network_lost' }]);
  expect(scene.mails()[0]?.text).toContain('is unreachable until you re-attach it to its network');
  expect(scene.mails()[0]?.text).toContain('docker compose up -d nginx');
  expect(scene.store.notices.all()).toMatchObject([{ kind: 'network_lost', subject: 'web-nginx-1' }]);
  scene.engine.host.containers.delete(ids.nginx);
  await rejoinGuests(scene.deps);
  expect(scene.store.notices.all()).toEqual([]);
});

it('outside Compose it promises no restart that cannot help', async () => {
  scene.engine.host.containers.delete(ids.nginx);
  const outside = { 'com.docker.compose.service': '' };
  scene.engine.runContainer(
    nginx({ ports: {}, hostConfig: { NetworkMode: `container:${ids.edge}` }, labels: outside }),
  );
  scene.engine.host.containers.delete(ids.edge);
  await rejoinGuests(scene.deps);
  expect(scene.mails()[0]?.text).toContain('Re-create web-nginx-1 so that it joins');
  expect(scene.mails()[0]?.text).not.toContain('docker restart');
  expect(scene.store.notices.all()[0]?.words).toContain('re-create it in');
});

it('waits while an update of it runs', async () => {
  const image = scene.engine.publish('nginx:stable');
  const asked: boolean[] = [];
  scene.engine.onCall(
    'createContainer',
    async () => {
      await restartEdge();
      asked.push(await rejoinGuests(scene.deps));
    },
    { once: true },
  );
  scene.hear('docker.io/library/nginx:stable', image.digest);
  await scene.settle();
  expect(asked).toEqual([false]);
  expect(restarts()).toEqual([]);
  expect(await rejoinGuests(scene.deps)).toBe(true);
});

describe('the worker', () => {
  let worker: ReturnType<typeof startWorker>;
  const begin = (): void => void (worker = startWorker(scene.deps));
  const listened = (): boolean => scene.engine.host.events.listeners > 0;
  const joined = (): boolean => startOf(ids.nginx) >= startOf(ids.edge);
  afterEach(() => worker.stop());

  it('mends at its start what happened while the service was down', async () => {
    await restartEdge();
    begin();
    await eventually('nginx is joined again', joined);
  });

  it('mends as soon as the network is started again', async () => {
    begin();
    await eventually('it listens', listened);
    await restartEdge();
    await eventually('nginx is joined again', joined);
    expect(restarts()).toEqual(['restart web-nginx-1']);
  });

  it('mends when the engine comes back', async () => {
    begin();
    await eventually('it listens', listened);
    scene.engine.reachable = false;
    await restartEdge();
    scene.engine.reachable = true;
    await eventually('nginx is joined again', joined);
  });

  it('mends without events, when the engine refuses to tell them', async () => {
    scene.engine.onCall('events', () => {
      throw new EngineError('engine_refused', 'The Docker Engine refused: 403 Forbidden');
    });
    begin();
    await eventually('it is told', () => JSON.stringify(scene.log).includes('no Docker events'));
    await restartEdge();
    await eventually('nginx is joined again', joined);
  });
});
