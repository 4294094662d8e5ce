import { recordDecision } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import { nginx, openScene, type Scene } from '../support/scene';

// A publisher adds an architecture to a tag whose image failed or was declined here: the digest is new, the image is not.
const TAG = 'nginx:stable';
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: TAG });
});
afterEach(() => scene.close());

const MANUAL = { 'update.policy': 'manual' };
const run = (labels: Record<string, string> = {}): string => scene.engine.runContainer(nginx({ labels }));
/** A new digest of the tag, for the same image or another one. */
const publish = (id?: string): string => scene.engine.publish(TAG, id === undefined ? {} : { id }).digest;
const last = (): Update => scene.updates().at(-1) as Update;
const statuses = (): string[] => scene.updates().map(({ status }) => status);
const kinds = (): string[] => scene.mails().map(({ kind }) => kind);

async function hear(digest: string): Promise<void> {
  scene.hear(`docker.io/library/${TAG}`, digest);
  await scene.settle();
}

async function reconcile(): Promise<void> {
  scene.store.timers.ring('reconcile', scene.clock.now().toISOString());
  await scene.settle();
}

const BROKEN = { health: 'never' as const, config: { Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 } } };
const publishBroken = (id?: string) => scene.engine.publish(TAG, { ...BROKEN, ...(id === undefined ? {} : { id }) });
const decline = (): unknown => recordDecision(scene.deps, last(), 'decline', 'api');

it('a declined one is not offered again, by a webhook or by reconcile', async () => {
  run(MANUAL);
  const declined = scene.engine.publish(TAG);
  await hear(declined.digest);
  decline();
  await hear(publish(declined.id));
  expect(statuses()).toEqual(['declined', 'ignored']);
  expect(last().reason).toMatch(/^The image that nginx:stable .* has for this platform was declined for web-nginx-1/);
  publish(declined.id);
  await reconcile();
  expect(statuses()).toEqual(['declined', 'ignored']);
  expect(kinds()).toEqual(['critical_update_available']);
});

it('a failed one is not tried again, and the operator may', async () => {
  run();
  const broken = publishBroken();
  await hear(broken.digest);
  expect(statuses()).toEqual(['rolled_back']);
  publishBroken(broken.id);
  await reconcile();
  expect(statuses()).toEqual(['rolled_back']);
  await requestUpdate(scene.deps, { container: 'web-nginx-1' });
  await scene.settle();
  expect(statuses()).toEqual(['rolled_back', 'rolled_back']);
});

it('counts no longer once it has succeeded under any digest', async () => {
  run(MANUAL);
  const declined = scene.engine.publish(TAG);
  await hear(declined.digest);
  decline();
  publish(declined.id);
  await requestUpdate(scene.deps, { container: 'web-nginx-1' });
  await scene.settle();
  expect(statuses()).toEqual(['declined', 'succeeded']);
  expect(scene.store.refusals.all()).toEqual([]);
});

it('another image of the tag is offered', async () => {
  run(MANUAL);
  await hear(publish());
  decline();
  await hear(publish());
  expect(statuses()).toEqual(['declined', 'awaiting_approval']);
});
