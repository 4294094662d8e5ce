import { codeOf } from '../../src/domain/errors';
import { openScene, nginx, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable', files: { '/data/a': 'some rows' } });
  scene.engine.runContainer(nginx({ labels: { 'backup.kind': 'files', 'backup.paths': '/data' } }));
});
afterEach(() => scene.close());

const ring = (name: Parameters<Scene['store']['timers']['ring']>[0]): void =>
  scene.store.timers.ring(name, scene.clock.now().toISOString());

test('the backup that a timer rang for is taken, of every set', async () => {
  ring('backup');
  await scene.settle();
  expect(scene.store.backups.list(9)).toMatchObject([{ project: 'web', reason: 'schedule', status: 'succeeded' }]);
  expect(scene.store.timers.due()).toEqual([]);
  expect(scene.store.timers.get('backup')?.last?.outcome).toBe('Requested: web.');
});

test('the renewal that a timer rang for is asked for', async () => {
  ring('renewal');
  await scene.settle();
  expect(scene.store.renewals.list(9)).toMatchObject([{ reason: 'schedule' }]);
});

test('what is due waits for an engine, over a restart as well', async () => {
  ring('backup');
  scene.engine.reachable = false;
  await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
  scene = scene.restart();
  expect(scene.store.timers.due()).toMatchObject([{ name: 'backup' }]);
  await scene.settle();
  expect(scene.store.backups.list(9)).toMatchObject([{ status: 'succeeded' }]);
});

test('a defect in it is told, and neither stops the queue nor is tried without end', async () => {
  scene.engine.onCall(
    'containers',
    () => {
      throw new Error('a defect');
    },
    { once: true },
  );
  ring('backup');
  await scene.settle();
  expect(scene.store.timers.get('backup')).toMatchObject({ dueAt: null, last: { outcome: 'Failed: a defect' } });
  expect(scene.log).toContainEqual(expect.objectContaining({ level: 'error', code: codeOf(new Error()) }));
});
