import { openScene, runBehindEdge, type Scene } from '../support/scene';

// The engine came back after a power failure and tried to start nginx before edge, in whose network it lives.

let scene: Scene;
let edge: string;
let wanted: string;

beforeEach(async () => {
  const first = openScene();
  first.engine.addImage({ reference: 'nginx:stable' });
  ({ edge } = runBehindEdge(first.engine));
  const next = first.engine.publish('nginx:stable', { health: 'healthy' });
  wanted = next.id;
  first.hear('docker.io/library/nginx:stable', next.digest);
  await Promise.race([first.engine.crashAt('stop', 'after'), first.settle()]);
  scene = first.restart();
  for (const name of scene.engine.containerNames()) await scene.engine.stop(scene.engine.container(name).Id, 1);
  await expect(scene.engine.start(scene.engine.container('web-nginx-1').Id)).rejects.toThrow('cannot join network');
});
afterEach(() => scene.close());

it('the new one is started once edge is there, and is not called ill for it', async () => {
  await scene.engine.start(edge);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
  expect(scene.engine.container('web-nginx-1').Image).toBe(wanted);
});

it('edge that is a moment late is waited for', async () => {
  const late = scene.clock.sleep(3_000).then(() => scene.engine.start(edge));
  await scene.settle();
  await late;
  expect(scene.updates()).toMatchObject([{ status: 'succeeded', error: null }]);
});
