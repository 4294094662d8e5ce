import { handleInbox } from '../../../src/decisions/handle-inbox';
import { runOn } from '../../support/cli-app';
import { nginx, openScene, type Scene } from '../../support/scene';

let scene: Scene;
beforeEach(async () => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await handleInbox(scene.deps);
});
afterEach(() => scene.close());

const waiting = (): string => scene.updates()[0]?.id ?? '';

test('approve ID follows the update to its end, and ends with 0', async () => {
  const { code, stdout } = await runOn(scene, ['approve', waiting()]);
  expect(stdout).toMatch(/Approved on the command line/);
  expect(stdout).toMatch(/Succeeded: web-nginx-1/);
  expect(code).toBe(0);
});

test('decline ID says what that means, and nothing runs', async () => {
  const { code, stdout } = await runOn(scene, ['decline', waiting()]);
  expect(stdout).toBe('Declined on the command line. web-nginx-1 stays as it is.\n');
  expect(code).toBe(0);
  expect(scene.engine.lines()).toEqual([]);
});

test('--json prints the update as the API does, and nothing else', async () => {
  const id = waiting();
  const approved = await runOn(scene, ['approve', id, '--json']);
  expect(JSON.parse(approved.stdout)).toMatchObject({ id, status: 'succeeded', approval: { status: 'approved' } });
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { logs: ['newer'] }).digest);
  await handleInbox(scene.deps);
  const next = scene.updates()[1]?.id;
  const declined = await runOn(scene, ['decline', next ?? '', '--json']);
  expect(JSON.parse(declined.stdout)).toMatchObject({ id: next, status: 'declined' });
  const again = await runOn(scene, ['decline', next ?? '', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'not_waiting' } });
  expect([approved.code, declined.code, again.code]).toEqual([0, 0, 1]);
});

test('what does not wait any more is refused, and ends with 1', async () => {
  await runOn(scene, ['decline', waiting()]);
  const again = await runOn(scene, ['approve', waiting()]);
  expect(again.stderr).toMatch(/is not pending: it is declined/);
  expect(again.code).toBe(1);
  expect((await runOn(scene, ['approve', 'nothing'])).stderr).toMatch(/^error: No update has this ID/);
});
