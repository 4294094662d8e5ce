import { reconcile } from '../../src/decisions/reconcile';
import type { Store } from '../../src/ports/store';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  for (const image of ['nginx:stable', 'httpd:stable']) scene.engine.addImage({ reference: image });
  scene.engine.runContainer(nginx());
  scene.engine.runContainer({ ...nginx({ image: 'httpd:stable' }), name: 'web-httpd-1', ports: {} });
});
afterEach(() => scene.close());

/** A defect in what decides on one container, until it is corrected. */
function defectIn(container: string): { corrected(): void } {
  const { updates } = scene.store;
  const insert = updates.insert.bind(updates);
  let broken = true;
  const failing: Store['updates']['insert'] = (update) => {
    if (broken && update.container === container) throw new TypeError('x is not a function');
    return insert(update);
  };
  updates.insert = failing;
  return { corrected: () => void (broken = false) };
}

test('an event that cannot be examined waits, says why, and keeps no other from its update', async () => {
  const defect = defectIn('web-nginx-1');
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  scene.hear('docker.io/library/httpd:stable', scene.engine.publish('httpd:stable').digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ container: 'web-httpd-1', status: 'succeeded' }]);
  const waiting = scene.store.inbox.recent(5).filter(({ status }) => status === 'pending');
  expect(waiting.map(({ outcome }) => outcome)).toEqual([
    expect.stringMatching(
      /^Waiting: This event cannot be examined.*x is not a function.*Report it.*diun-pilot retries at/,
    ),
  ]);

  defect.corrected();
  await scene.clock.advance(31 * 60_000);
  await scene.settle();
  expect(scene.updates().map(({ container, status }) => `${container} ${status}`)).toEqual([
    'web-httpd-1 succeeded',
    'web-nginx-1 succeeded',
  ]);
});

test('a container that cannot be compared with the registry keeps no other from its update, and is reported', async () => {
  const defect = defectIn('web-httpd-1');
  for (const image of ['nginx:stable', 'httpd:stable']) scene.engine.publish(image);
  const { outcome, trouble } = await reconcile(scene.deps);
  expect(outcome).toMatch(/^2 containers compared .* 1 update found\. Not compared: web-httpd-1: x is not a function/);
  expect(trouble).toMatch(/web-httpd-1: x is not a function.*report it/);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ container: 'web-nginx-1', status: 'succeeded' }]);

  defect.corrected();
  expect((await reconcile(scene.deps)).trouble).toBeNull();
});
