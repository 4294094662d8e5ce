import { EngineError } from '../../src/domain/errors';
import type { Behaviour } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// A busy engine refuses one call, whichever it is, and takes the next one.
jest.setTimeout(120_000);

const DATA = { labels: { 'backup.kind': 'files', 'backup.paths': '/data' }, volumes: { data: '/data' } };
const SOAK = { labels: { 'update.soak': '30m' } };

async function update(health: Behaviour, more: object, refused: number | null): Promise<Scene> {
  const scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx(more));
  if (more === DATA) scene.engine.files('web-nginx-1').write('/data/one', '1');
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health }).digest);
  const refuse = (): never => {
    throw new EngineError('engine_refused', 'The engine is busy.');
  };
  if (refused !== null) scene.engine.onCall(refused, refuse, { once: true });
  await scene.settle();
  return scene;
}

it.each<[string, Behaviour, object, string]>([
  ['a healthy image', 'healthy', {}, 'succeeded'],
  ['an image that fails', 'exits', {}, 'rolled_back'],
  ['a healthy image with data', 'healthy', DATA, 'succeeded'],
  ['an image with data that fails', 'exits', DATA, 'rolled_back'],
  ['a healthy image with a soak', 'healthy', SOAK, 'succeeded'],
])('%s: no refusal of one call leaves a service that is reported as down', async (_, health, more, verdict) => {
  const whole = await update(health, more, null);
  const calls = whole.engine.callCount;
  expect(whole.updates()).toMatchObject([{ status: verdict }]);
  whole.close();
  for (let call = 1; call <= calls; call++) {
    const scene = await update(health, more, call);
    const [{ status, steps } = { status: 'none', steps: [] }] = scene.updates();
    // Before the swap it may end unchanged, and in the middle of it be rolled back.
    const swapped = steps.some((each) => each.name === 'health_check');
    const allowed = swapped ? [verdict] : ['failed', 'ignored', 'rolled_back', verdict];
    expect({ call: scene.engine.transcript[call - 1]?.line, status }).toMatchObject({
      status: expect.stringMatching(new RegExp(`^(?:${allowed.join('|')})$`)),
    });
    expect(scene.engine.isRunning('web-nginx-1')).toBe(true);
    scene.close();
  }
});
