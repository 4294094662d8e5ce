import { EngineError } from '../../src/domain/errors';
import { dockerCheck } from '../../src/diagnosis/health-report';
import { dockerProblems } from '../../src/diagnosis/problems';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.addImage({ reference: 'dead:1' });
  scene.engine.runContainer(nginx());
});
afterEach(() => scene.close());

/** As the engine answers for a container in state `dead` whose layer is gone. */
const layerIsGone = (): EngineError =>
  new EngineError('engine_refused', 'The Docker Engine refused: RWLayer of container is unexpectedly nil');

it.each(['inspectContainer', 'inspectImage'] as const)(
  'is skipped and reported once, and everything else goes on (%s refused)',
  async (method) => {
    const id = scene.engine.runContainer({ name: 'dead', image: 'dead:1', stopped: true });
    const refused = method === 'inspectContainer' ? id : scene.engine.container(id).Image;
    scene.engine.onCall(method, ({ args }) => {
      if (args[0] === refused) throw layerIsGone();
    });
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ container: 'web-nginx-1', status: 'succeeded' }]);
    for (let day = 0; day < 3; day++) {
      scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
      await scene.settle();
    }
    expect(scene.log.filter(({ message }) => message === 'an object is skipped')).toHaveLength(1);
    expect(dockerCheck({ status: 'ok' }, dockerProblems(scene.store.notices.all(), []), [])).toMatchObject({
      status: 'degraded',
      reason: expect.stringMatching(/the engine cannot describe/),
    });
  },
);

it('is no longer reported once it is gone', async () => {
  const id = scene.engine.runContainer({ name: 'dead', image: 'dead:1', stopped: true });
  let broken = true;
  scene.engine.onCall('inspectContainer', ({ args }) => {
    if (broken && args[0] === id) throw layerIsGone();
  });
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await scene.settle();
  expect(scene.store.notices.all()).toHaveLength(1);
  broken = false;
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await scene.settle();
  expect(scene.store.notices.all()).toEqual([]);
});
