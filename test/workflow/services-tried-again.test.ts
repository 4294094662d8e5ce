import { requestUpdate } from '../../src/decisions/request-update';
import { openScene, type Scene } from '../support/scene';

// Swarm keeps tasks that ended, so those of an earlier try are still there.

const LABELS = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
});
afterEach(() => scene.close());

test('a second try reports what fails now, and not how a task of the first try ended', async () => {
  const { engine, swarm, deps } = scene;
  swarm.addService({ name: 'site_web', image: `nginx:1.28@${engine.publish('nginx:1.28').digest}`, labels: LABELS });
  const next = engine.publish('nginx:1.28', { health: 'exits' });
  scene.hear('docker.io/library/nginx:1.28', next.digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back', error: { code: 'unhealthy' } }]);
  swarm.unplaceable.add(`nginx:1.28@${next.digest}`);
  await requestUpdate(deps, { container: 'site_web' });
  await scene.settle();
  const last = scene.updates().at(-1);
  expect(last).toMatchObject({ status: 'rolled_back', error: { code: 'preflight_blocked' } });
  expect(last?.error?.message).toContain('no suitable node');
  expect(last?.error?.message).not.toContain('non-zero exit');
});
