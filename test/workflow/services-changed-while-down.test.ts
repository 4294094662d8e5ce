import { openScene, type Scene } from '../support/scene';

// Another client changes the service while diun-pilot is down, in the middle of an update.

const LABELS = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };
const IMAGE = 'docker.io/library/nginx:1.28';
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
});
afterEach(() => scene.close());

it('the old image is then what that client wants, and is not said to be a rollback by Swarm', async () => {
  const { engine } = scene;
  scene.swarm.addService({
    ...{ name: 'site_web', image: `nginx:1.28@${engine.publish('nginx:1.28').digest}`, labels: LABELS },
  });
  scene.hear(IMAGE, engine.publish('nginx:1.28').digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  const next = engine.publish('nginx:1.28');
  const died = new Promise<void>((resolve) => {
    scene.swarm.onUpdate = (when) => {
      if (when === 'before') resolve();
      return new Promise<void>(() => undefined);
    };
  });
  scene.hear(IMAGE, next.digest);
  void scene.settle();
  await died;
  scene = scene.restart();
  const seen = await scene.swarm.service('site_web');
  await scene.swarm.update(seen, { ...seen.Spec, Labels: { ...seen.Spec.Labels, note: 'mine' } });
  await scene.clock.advance(10_000);
  await scene.settle();
  expect(scene.updates().at(-1)).toMatchObject({ status: 'rollback_failed', error: { code: 'changed_meanwhile' } });
  const { Spec } = await scene.swarm.service('site_web');
  expect(Spec.TaskTemplate.ContainerSpec?.Image).toBe(seen.Spec.TaskTemplate.ContainerSpec?.Image);
  expect(Spec.Labels?.['note']).toBe('mine');
});
