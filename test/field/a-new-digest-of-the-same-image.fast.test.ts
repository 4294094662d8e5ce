import { decideApproval } from '../../src/decisions/approve';
import { approvalUrl } from '../../src/decisions/approval-links';
import { requestUpdate } from '../../src/decisions/request-update';
import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import type { FakeImage } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

// A publisher adds an architecture or an attestation: the tag has a new digest, and for this host nothing changed.
const TAG = 'nginx:stable';
let scene: Scene;
let running: FakeImage;
beforeEach(() => {
  scene = openScene();
  running = scene.engine.addImage({ reference: TAG });
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

function expectUntouched(id: string): void {
  expect(scene.engine.container('web-nginx-1')).toMatchObject({ Id: id, State: { Running: true } });
  expect(scene.engine.lines().filter((line) => /^(stop|pull|create)/.test(line))).toEqual([]);
}

it.each([
  ['automatic', {}],
  ['manual', MANUAL],
])('is ignored with the reason, for an %s container: nothing is stopped, requested or mailed', async (_, labels) => {
  const id = run(labels);
  await hear(publish(running.id));
  expectUntouched(id);
  expect(scene.updates()).toMatchObject([
    {
      status: 'ignored',
      source: 'diun',
      reason: expect.stringMatching(/already runs the image that nginx:stable .* has/),
    },
  ]);
  expect(kinds()).toEqual([]);
});

it('is reported once by reconcile, however often it is compared', async () => {
  const id = run();
  publish(running.id);
  for (let day = 0; day < 3; day++) await reconcile();
  expectUntouched(id);
  expect(scene.updates()).toMatchObject([{ status: 'ignored', source: 'reconcile' }]);
  expect(kinds()).toEqual([]);
});

it('is reported to the operator who requests it, who may still move to another tag of the same image', async () => {
  const id = run(MANUAL);
  publish(running.id);
  const answer = await requestUpdate(scene.deps, { container: 'web-nginx-1' });
  expect(answer).toMatchObject({ status: 'ignored', reason: expect.stringMatching(/nothing to do/) });
  expectUntouched(id);
  scene.engine.publish('nginx:1.28', { id: running.id });
  expect(await requestUpdate(scene.deps, { container: 'web-nginx-1', image: 'nginx:1.28' })).toMatchObject({
    status: 'queued',
  });
});

it('does not hold up what really is another image', async () => {
  run();
  await hear(publish(running.id));
  await hear(publish());
  expect(statuses()).toEqual(['ignored', 'succeeded']);
});

it('counts as an update without a proof: the registry does not show its manifests', async () => {
  run(MANUAL);
  const digest = publish(running.id);
  const away = () => Promise.reject(new EngineError('registry_unreachable', 'It is away.'));
  scene.deps.registryImages = { imageOf: away, configOf: away };
  await hear(digest);
  expect(statuses()).toEqual(['awaiting_approval']);
  expect(scene.log.map(({ message }) => message)).toContain('not known whether only the index changed');
});

it('counts as an update without a proof: the index does not have the platform of the container', async () => {
  run(MANUAL);
  scene.deps.registryImages = { imageOf: () => Promise.resolve(null), configOf: () => Promise.resolve(null) };
  await hear(publish(running.id));
  expect(statuses()).toEqual(['awaiting_approval']);
});

describe('while an approval is pending', () => {
  it.each([
    ['by a webhook', (digest: string) => hear(digest)],
    ['by reconcile', () => reconcile()],
  ])('a tag that comes back to the running image supersedes it, found %s', async (_, find) => {
    run(MANUAL);
    await hear(publish());
    await find(publish(running.id));
    expect(statuses()).toEqual(['superseded', 'ignored']);
    expect(kinds()).toEqual(['critical_update_available', 'offer_superseded']);
    await reconcile();
    expect(statuses()).toEqual(['superseded', 'ignored']);
  });

  it.each([
    ['by a webhook', () => hear(running.digest)],
    ['by reconcile', () => reconcile()],
  ])('so does one that comes back to the very digest, found %s', async (_, find) => {
    run(MANUAL);
    await hear(publish());
    scene.engine.publish(TAG, { id: running.id, digest: running.digest });
    await find();
    expect(statuses()).toEqual(['superseded', 'ignored']);
    expect(kinds()).toEqual(['critical_update_available', 'offer_superseded']);
  });

  it('a webhook that only says so supersedes nothing', async () => {
    run(MANUAL);
    await hear(publish());
    await hear(running.digest);
    expect(statuses()).toEqual(['awaiting_approval', 'ignored']);
  });

  it('a new digest of the image that is offered is offered in its place: what is approved is a digest', async () => {
    run(MANUAL);
    const offered = scene.engine.publish(TAG);
    await hear(offered.digest);
    await hear(publish(offered.id));
    expect(statuses()).toEqual(['superseded', 'awaiting_approval']);
  });

  it('the link of one whose tag came back says that it moved, and requests nothing new', async () => {
    const id = run(MANUAL);
    await hear(publish());
    publish(running.id);
    const token = approvalUrl(scene.deps, last()).split('/').at(-1) ?? '';
    const outcome = await decideApproval(scene.deps, token, { decision: 'approve', name: null });
    expect(outcome.kind).toBe('moved');
    await scene.settle();
    expectUntouched(id);
    expect(statuses()).toEqual(['superseded', 'ignored']);
  });
});
