import type { Delivery } from '../../src/notifications/deliver';
import { createWorkplace } from '../../src/queue/workplace';
import { openScene, type Scene } from '../support/scene';

// What whoever takes the lock of a data directory finds there from the process before.

let scene: Scene;
beforeEach(() => (scene = openScene()));
afterEach(() => scene.close());

/** A process that begins to work, and stops. */
async function enterAndLeave(): Promise<void> {
  const workplace = createWorkplace({
    deps: scene.deps,
    delivery: { start: () => undefined, stop: () => Promise.resolve() } as Delivery,
    takeLock: () => ({ release: () => undefined }),
    startTimers: () => ({ stop: () => undefined }),
    watchEngine: () => ({ stop: () => undefined }),
  });
  expect(workplace.enter()).toBe(true);
  expect(await workplace.leave()).toBe(true);
}

test('a backup that was under way has failed, and that is mailed; that of an update is told by its update', async () => {
  const { backups } = scene.store;
  const place = { project: 'web', container: null };
  const ids = [
    backups.insert({ ...place, reason: 'schedule', updateId: null }).id,
    backups.insert({ ...place, reason: 'update', updateId: '01KAT3W8P4Q2V5X7Z9B1D3F5H7' }).id,
  ];
  for (const id of ids) backups.change(id, { status: 'running' });
  await enterAndLeave();
  for (const id of ids) expect(backups.get(id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['backup_failed']);
});

test('what Diun said more than three months ago is forgotten, but for the last word on an image', async () => {
  const { inbox } = scene.store;
  inbox.reject('no notification', 'The body is not JSON.');
  const { id } = scene.hear('docker.io/library/redis:7', `sha256:${'1'.repeat(64)}`);
  inbox.handled(id, 'ignored');
  const ring = async (): Promise<void> => {
    scene.store.timers.ring('old-records', scene.clock.now().toISOString());
    await scene.settle();
  };
  await scene.clock.advance(89 * 86_400_000);
  await ring();
  expect(inbox.recent(10)).toHaveLength(2);
  await scene.clock.advance(2 * 86_400_000);
  await ring();
  expect(inbox.recent(10)).toMatchObject([{ id }]);
});
