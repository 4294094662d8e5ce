import { decideById } from '../../src/decisions/approve';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { readWindow, type UpdateWindow } from '../../src/domain/decision/update-window';
import type { Update } from '../../src/domain/update';
import { openMonday } from '../support/monday-scene';
import { nginx, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openMonday();
});
afterEach(() => scene.close());

const HOUR = 3_600_000;
const NIGHT = readWindow('05:00-06:00') as UpdateWindow;
const last = (): Update => scene.updates().at(-1) as Update;

async function queued(labels: Record<string, string>): Promise<void> {
  scene.engine.runContainer(nginx({ labels }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await handleInbox(scene.deps);
  expect(last().status).toBe('queued');
}

/** As `docker compose up -d` does after an edit of these labels. */
async function relabel(labels: Record<string, string>): Promise<void> {
  const { Id } = scene.engine.container('web-nginx-1');
  await scene.engine.stop(Id);
  await scene.engine.remove(Id);
  scene.engine.runContainer(nginx({ labels }));
}

async function pass(ms: number): Promise<void> {
  await scene.clock.advance(ms);
  await scene.settle();
}

it('a window that was set after the decision holds for what is queued', async () => {
  await queued({});
  await relabel({ 'update.window': '05:00-06:00' });
  await scene.settle();
  expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' });
  await pass(2 * HOUR);
  expect(last()).toMatchObject({ status: 'succeeded', startedAt: expect.stringMatching(/T05:00/) });
});

it('what was queued while observing starts in the window that came with acting', async () => {
  scene.deps.mode = 'observe';
  await queued({});
  await scene.settle();
  const acting = scene.restart();
  Object.assign(acting.deps, { mode: 'act', updateWindow: NIGHT, timeZone: 'UTC' });
  await acting.settle();
  expect(acting.updates()).toMatchObject([{ status: 'queued', notBefore: '2026-01-05T05:00:00.000Z' }]);
});

it('a window that was set while the digest is too young holds once it is old enough', async () => {
  await queued({ 'update.min-age': '1d' });
  scene.deps.updateWindow = NIGHT;
  await pass(24 * HOUR);
  expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-06T05:00:00.000Z' });
});

it.each([
  ['label', () => relabel({ 'update.window': '05:00-06:00', 'update.min-age': '3d' })],
  ['setting', () => void (scene.deps.minAgeMs = 72 * HOUR)],
])('an age that was required by %s after the decision holds for what is queued', async (_, require) => {
  await queued({ 'update.window': '05:00-06:00' });
  await require();
  await pass(2 * HOUR);
  expect(last()).toMatchObject({ status: 'queued', notBefore: '2026-01-08T05:00:00.000Z' });
});

it('what a person approved for the next window waits for no age', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual', 'update.window': '05:00-06:00' } }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await handleInbox(scene.deps);
  await decideById(scene.deps, last().id, 'window', 'page');
  scene.deps.minAgeMs = 72 * HOUR;
  await pass(2 * HOUR);
  expect(last().status).toBe('succeeded');
});

it.each([
  ['moved to an earlier time', { 'update.window': 'Mon 05:00-06:00' }],
  ['removed', {}],
])('a window that was %s holds the update up no longer, once reconcile has seen it', async (_, labels) => {
  await queued({ 'update.window': 'Sun 05:00-06:00' });
  await relabel(labels);
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await pass(2 * HOUR);
  expect(last().status).toBe('succeeded');
});
