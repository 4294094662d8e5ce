import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { startWorker } from '../../src/queue/worker';
import { rejoinGuests } from '../../src/networks/watch-networks';
import { lookAtCertificates } from '../../src/certificates/look';
import { findPlaces } from '../../src/certificates/renewal-places';
import { eventually } from '../support/eventually';
import { nginx, openScene, runBehindEdge, type Scene } from '../support/scene';

// One container, image or network that the engine cannot describe (500): its own work fails, all other work goes on.
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.addImage({ reference: 'dead:1' });
});
afterEach(() => scene.close());

const refused = (): EngineError =>
  new EngineError('engine_refused', 'The Docker Engine refused: RWLayer of container is unexpectedly nil');
/** From now on the engine lists the container, and cannot describe it by any of its names. */
function cannotDescribe(method: 'inspectContainer' | 'inspectImage', ...names: string[]): void {
  scene.engine.onCall(method, ({ args }) => {
    if (names.includes(String(args[0]))) throw refused();
  });
}
const last = (): Update => scene.updates().at(-1) as Update;
const runDead = (): string => scene.engine.runContainer({ name: 'dead', image: 'dead:1', stopped: true });

async function updateNginx(): Promise<string> {
  const { digest } = scene.engine.publish('nginx:stable');
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  return digest;
}

/** As the service does, which at its start looks at what earlier updates left. */
async function workUntil(what: string, done: () => boolean): Promise<void> {
  const worker = startWorker(scene.deps);
  try {
    await eventually(what, done);
  } finally {
    await worker.stop();
  }
  expect(worker.state()).toEqual({ status: 'ok' });
}

describe('a container', () => {
  it('is skipped at the start of the worker, which works', async () => {
    cannotDescribe('inspectContainer', runDead());
    scene.engine.runContainer(nginx());
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await workUntil('the update ends', () => scene.updates()[0]?.status === 'succeeded');
  });

  it('whose restart policy is to be put back keeps no other work waiting', async () => {
    const id = runDead();
    scene.store.disarmed.add({ containerId: id, name: 'dead', policy: { Name: 'always', MaximumRetryCount: 0 } });
    cannotDescribe('inspectContainer', id);
    scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
    await scene.settle();
    expect(scene.store.timers.get('reconcile')?.last?.outcome).toContain('compared');
    expect(scene.store.disarmed.find(id)).not.toBeNull();
  });

  it('in the network of another keeps no other from being joined to its own again', async () => {
    const { edge } = runBehindEdge(scene.engine);
    const id = scene.engine.runContainer({
      name: 'dead',
      image: 'dead:1',
      hostConfig: { NetworkMode: `container:${edge}` },
    });
    await rejoinGuests(scene.deps);
    await scene.clock.advance(1_000);
    await scene.engine.restart(edge);
    cannotDescribe('inspectContainer', id);
    expect(await rejoinGuests(scene.deps)).toBe(true);
    expect(scene.engine.lines()).toContain('restart web-nginx-1');
  });

  it('that has a role in renewals keeps no other certificate from being looked at', async () => {
    const role = { 'diun.enable': 'true', 'renewal.role': 'server' };
    const id = scene.engine.runContainer({ name: 'dead', image: 'dead:1', labels: role });
    scene.engine.runContainer(nginx({ labels: role }));
    await findPlaces(scene.deps);
    cannotDescribe('inspectContainer', id);
    const places = await findPlaces(scene.deps);
    expect(places.flatMap(({ servers }) => servers.map(({ name }) => name)).sort()).toEqual(['dead', 'web-nginx-1']);
    const problem = expect.any(String) as string;
    expect(await lookAtCertificates(scene.deps, places)).toMatchObject([{ server: 'dead', problem }]);
  });

  it('that depends on the updated one does not keep it from its update', async () => {
    scene.engine.runContainer(nginx());
    const labels = {
      'com.docker.compose.project': 'web',
      'com.docker.compose.service': 'dead',
      'com.docker.compose.depends_on': 'nginx:service_started:false',
    };
    const id = scene.engine.runContainer({ name: 'dead', image: 'dead:1', labels });
    await updateNginx();
    cannotDescribe('inspectContainer', id);
    await updateNginx();
    expect(scene.updates().map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });

  it('that became so when the update removed it is reported by the verdict, which is that of the new one', async () => {
    const id = scene.engine.runContainer(nginx());
    scene.engine.onCall('remove', ({ args }) => {
      if (args[0] !== id) return;
      cannotDescribe('inspectContainer', id, scene.engine.container(id).Name.slice(1));
      throw new EngineError('engine_refused', 'The Docker Engine refused: device or resource busy');
    });
    await updateNginx();
    expect(last()).toMatchObject({ status: 'succeeded', reason: expect.stringMatching(/was not removed/) });
    expect(scene.store.keptContainers.find(id)).toMatchObject({ leftover: true });
    scene.store.keptContainers.remove(id);
    await workUntil('the next start lists it', () => scene.store.keptContainers.find(id)?.leftover === true);
  });
});

describe('an image', () => {
  it.each(['that runs', 'that was pulled'])(
    '(%s) fails only its own update, and never counts against the digest',
    async (which) => {
      scene.engine.addImage({ reference: 'other:1' });
      const id = scene.engine.runContainer(nginx());
      scene.engine.runContainer(
        nginx({ name: 'other', image: 'other:1', ports: {}, labels: { 'com.docker.compose.service': 'other' } }),
      );
      const next = scene.engine.publish('nginx:stable');
      let broken = true;
      const image = which === 'that runs' ? scene.engine.container(id).Image : next.id;
      scene.engine.onCall('inspectImage', ({ args }) => {
        if (broken && args[0] === image && scene.updates().some(({ status }) => status !== 'succeeded'))
          throw refused();
      });
      scene.hear('docker.io/library/nginx:stable', next.digest);
      scene.hear('docker.io/library/other:1', scene.engine.publish('other:1').digest);
      await scene.settle();
      expect(
        scene
          .updates()
          .map(({ container, status }) => `${container} ${status}`)
          .sort(),
      ).toEqual(['other succeeded', 'web-nginx-1 failed']);
      expect(scene.engine.container('web-nginx-1')).toMatchObject({ Id: id, State: { Running: true } });
      expect(scene.store.refusals.find('web-nginx-1', next.digest)).toBeNull();
      broken = false;
      await scene.clock.advance(86_400_000);
      scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
      await scene.settle();
      expect(last()).toMatchObject({ container: 'web-nginx-1', status: 'succeeded' });
    },
  );
});

it('a network fails only the updates of its containers, before anything is stopped, and never counts against the digest', async () => {
  scene.engine.addImage({ reference: 'other:1' });
  const id = scene.engine.runContainer(nginx({ networks: ['front', 'broken'] }));
  scene.engine.runContainer(
    nginx({ name: 'other', image: 'other:1', ports: {}, labels: { 'com.docker.compose.service': 'other' } }),
  );
  let broken = true;
  // As the adapter does: it asks for each further network before it creates (test/integration/engine-faults.long.test.ts).
  scene.engine.onCall('createContainer', ({ args }) => {
    if (broken && JSON.stringify(args).includes('"broken"'))
      throw new EngineError('engine_refused', 'The Docker Engine refused: could not find plugin');
  });
  const { digest } = scene.engine.publish('nginx:stable');
  scene.hear('docker.io/library/nginx:stable', digest);
  scene.hear('docker.io/library/other:1', scene.engine.publish('other:1').digest);
  await scene.settle();
  expect(
    scene
      .updates()
      .map(({ container, status }) => `${container} ${status}`)
      .sort(),
  ).toEqual(['other succeeded', 'web-nginx-1 failed']);
  expect(scene.engine.lines().filter((line) => line.startsWith('stop web-nginx-1'))).toEqual([]);
  expect(scene.engine.container('web-nginx-1')).toMatchObject({ Id: id, State: { Running: true } });
  expect(scene.store.refusals.find('web-nginx-1', digest)).toBeNull();
  broken = false;
  await scene.clock.advance(86_400_000);
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await scene.settle();
  expect(last()).toMatchObject({ container: 'web-nginx-1', status: 'succeeded' });
});
