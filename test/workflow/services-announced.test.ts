import { receiveWebhook } from '../../src/decisions/receive-webhook';
import type { FakeImage } from '../support/fake-engine-types';
import { diunRequest } from '../support/diun-requests';
import { openScene, type Scene } from '../support/scene';

// Events of Diun's swarm provider: it names the image of a service as Swarm wrote it, with the digest that the service runs.
const IMAGE = '127.0.0.1:5000/library/nginx:stable';
const WATCHED = { 'diun.enable': 'true', 'update.policy': 'automatic', 'com.docker.stack.namespace': 'site' };

let scene: Scene;
let old: FakeImage;
beforeEach(() => {
  scene = openScene();
  scene.swarm.init();
  old = scene.engine.publish(IMAGE);
  scene.swarm.addService({ name: 'site_web', image: `${IMAGE}@${old.digest}`, labels: WATCHED });
});
afterEach(() => scene.close());

/** The recorded event, about these images. */
async function hear(recorded: string, runs: string, digest: string): Promise<{ duplicate: boolean }> {
  const body = JSON.parse(diunRequest(recorded).body) as { image: string; digest: string };
  expect(body.image).toMatch(/^127\.0\.0\.1:\d+\/library\/nginx:stable@sha256:[0-9a-f]{64}$/);
  const told = { ...body, image: `${IMAGE}@${runs}`, digest };
  const { duplicate } = receiveWebhook(scene.store.inbox, JSON.stringify(told));
  await scene.settle();
  return { duplicate };
}

const imageNow = async (): Promise<string | undefined> =>
  (await scene.swarm.service('site_web')).Spec.TaskTemplate.ContainerSpec?.Image;

it('is about the tag: the service is updated to the digest that it reports, and keeps its tag', async () => {
  const next = scene.engine.publish(IMAGE);
  await hear('update-swarm-service', old.digest, next.digest);
  expect(scene.updates()).toMatchObject([
    {
      ...{ container: 'site_web', kind: 'service', source: 'diun', status: 'succeeded', error: null },
      to: { reference: IMAGE, digest: next.digest },
    },
  ]);
  expect(await imageNow()).toBe(`${IMAGE}@${next.digest}`);
});

it('and of the docker provider for the same digest is the same event', async () => {
  const next = scene.engine.publish(IMAGE);
  await hear('update-swarm-service', old.digest, next.digest);
  expect(scene.hear(IMAGE, next.digest).duplicate).toBe(true);
  await scene.settle();
  expect(scene.updates()).toHaveLength(1);
});

it('that comes after the update, for the spec that names the new digest: nothing to do', async () => {
  const next = scene.engine.publish(IMAGE);
  await hear('update-swarm-service', old.digest, next.digest);
  await hear('new-swarm-service-after-its-update', next.digest, next.digest);
  expect(scene.updates().map(({ status }) => status)).toEqual(['succeeded', 'ignored']);
  expect(scene.updates().at(-1)?.reason).toContain('already runs');
  expect(await imageNow()).toBe(`${IMAGE}@${next.digest}`);
});
