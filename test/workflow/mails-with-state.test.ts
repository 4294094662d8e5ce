import { refuseWrite } from '../support/refuse-write';
import { nginx, openScene, type Scene } from '../support/scene';

// As docs/notifications.md promises: a mail is written in the same transaction as the state that it tells of, so neither is ever without the other.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

const kinds = (): string[] => scene.mails().map(({ kind }) => kind);

it.each(['outbox', 'inbox'] as const)(
  'what was heard waits undecided, and nothing is mailed, when the %s cannot be written',
  async (part) => {
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    const { store } = scene;
    const hasRoom = part === 'outbox' ? refuseWrite(store.outbox, 'add') : refuseWrite(store.inbox, 'handled');
    await scene.settle();
    expect(scene.updates()).toEqual([]);
    expect(kinds()).toEqual([]);
    expect(store.inbox.recent(10)).toMatchObject([
      { status: 'pending', outcome: expect.stringContaining('disk is full') as string },
    ]);
    hasRoom();
    await scene.clock.advance(31 * 60_000);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ status: 'awaiting_approval' }]);
    expect(kinds()).toEqual(['critical_update_available']);
  },
);

it('a verdict whose mail cannot be written is none yet: the next process comes to it, and mails it once', async () => {
  const id = scene.engine.runContainer(nginx());
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable', { health: 'exits' }).digest);
  scene.engine.onCall('rename', () => void refuseWrite(scene.store.outbox, 'add'), { once: true });
  await expect(scene.settle()).rejects.toThrow('disk is full');
  expect(scene.updates()).toMatchObject([{ status: 'running', finishedAt: null }]);
  expect(scene.store.refusals.all()).toEqual([]);
  scene = scene.restart();
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'rolled_back' }]);
  expect(scene.store.refusals.all()).toHaveLength(1);
  expect(kinds()).toEqual(['update_available', 'update_failed']);
  expect(scene.engine.container('web-nginx-1').Id).toBe(id);
});
