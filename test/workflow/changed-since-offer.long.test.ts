import { decideApproval } from '../../src/decisions/approve';
import { approvalUrl } from '../../src/decisions/approval-links';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { requestUpdate } from '../../src/decisions/request-update';
import type { Update } from '../../src/domain/update';
import type { ContainerSpec } from '../support/fake-engine-types';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
let running: string;
beforeEach(() => {
  scene = openScene();
  running = scene.engine.addImage({ reference: 'nginx:stable' }).digest;
});
afterEach(() => scene.close());

const first = (): Update => scene.updates()[0] as Update;
const kinds = (): string[] => scene.mails().map(({ kind }) => kind);

async function announce(): Promise<void> {
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await handleInbox(scene.deps);
}

/** As `docker compose up -d` does after an edit of the file: same image, other settings. */
async function recreate(fields: Partial<ContainerSpec>): Promise<string> {
  const { Id, Config } = scene.engine.container('web-nginx-1');
  await scene.engine.stop(Id);
  await scene.engine.remove(Id);
  const labels = { ...Config.Labels, ...fields.labels };
  return scene.engine.runContainer({ ...nginx(), ...fields, labels });
}

async function approve(): Promise<void> {
  const token = approvalUrl(scene.deps, first()).split('/approvals/')[1] ?? '';
  expect(await decideApproval(scene.deps, token, { decision: 'approve', name: null })).toMatchObject({
    kind: 'approved',
  });
}

it.each<[string, Partial<ContainerSpec>, RegExp]>([
  ['policy', { labels: { 'update.policy': 'manual' } }, /update\.policy was automatic and is manual/],
  ['probe', { labels: { 'update.probe': 'tcp://:8080' } }, /update\.probe was docker and is tcp/],
  ['limit', { labels: { 'update.allow': 'digest' } }, /update\.allow was minor and is digest/],
  [
    'words of release notes',
    { labels: { 'update.ask-on': 'breaking,security' } },
    /update\.ask-on was not set and is breaking, security/,
  ],
  [
    'mounts',
    { volumes: { pages: '/usr/share/nginx/html' } },
    /mounts.*added: volume pages at \/usr\/share\/nginx\/html/,
  ],
])('stops a queued update with superseded when the %s changed since the decision', async (_, change, reason) => {
  scene.engine.runContainer(nginx());
  await announce();
  expect(first().status).toBe('queued');
  const id = await recreate(change);
  const before = scene.engine.lines().length;
  await scene.settle();
  expect(first()).toMatchObject({ status: 'superseded', reason: expect.stringMatching(reason) });
  const again = scene.updates()[1];
  // Release notes are not known here, so `update.ask-on` asks.
  if (change.labels?.['update.policy'] === 'manual' || change.labels?.['update.ask-on'] !== undefined) {
    expect(again?.status).toBe('awaiting_approval');
    expect(scene.engine.lines().slice(before)).toEqual([]);
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
  } else expect(again?.status).toBe('succeeded');
});

it('asks again when what was approved is not what would run, by a mail with a new link', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  await announce();
  await approve();
  const id = await recreate({ volumes: { pages: '/usr/share/nginx/html' } });
  await scene.settle();
  expect(scene.updates()).toMatchObject([
    { status: 'superseded', approval: { status: 'superseded' } },
    { status: 'awaiting_approval' },
  ]);
  expect(scene.engine.container('web-nginx-1').Id).toBe(id);
  expect(kinds()).toEqual(['critical_update_available', 'critical_update_available']);
});

it('stops what the operator requested, and offers nothing in its place', async () => {
  scene.engine.runContainer(nginx());
  scene.engine.publish('nginx:stable');
  await requestUpdate(scene.deps, { container: 'web-nginx-1' });
  await recreate({ labels: { 'update.probe': 'tcp://:8080' } });
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }]);
});

it('runs what only looks different: labels in another order, the same mounts', async () => {
  scene.engine.runContainer(nginx({ volumes: { a: '/a', b: '/b' }, labels: { 'update.probe': 'exec:true' } }));
  await announce();
  await recreate({ volumes: { b: '/b', a: '/a' } });
  await scene.settle();
  expect(scene.updates()).toHaveLength(1);
  expect(first().status).not.toBe('superseded');
});

it('offers again what waits for approval when its container was changed', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  await announce();
  await recreate({ volumes: { pages: '/usr/share/nginx/html' } });
  scene.store.timers.ring('reoffer', scene.clock.now().toISOString());
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }, { status: 'awaiting_approval' }]);
});

describe('a container that was re-created as one that is never updated', () => {
  const NEVER: [string, () => Partial<ContainerSpec>, RegExp][] = [
    ['unwatched', () => ({ labels: { 'diun.enable': 'false' } }), /diun\.enable=true/],
    ['removed when it stops', () => ({ hostConfig: { AutoRemove: true }, restart: 'no' }), /--rm/],
    ['pinned to the digest that it runs', () => ({ image: `nginx:stable@${running}` }), /No tag can move/],
  ];

  it.each(NEVER)('is not changed by a queued update: %s', async (_, change, reason) => {
    scene.engine.runContainer(nginx());
    await announce();
    const id = await recreate(change());
    await scene.settle();
    expect(first()).toMatchObject({ status: 'superseded', reason: expect.stringMatching(reason) });
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
  });

  it.each(NEVER)('is not changed by an approval: %s', async (_, change, reason) => {
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
    await announce();
    const id = await recreate(change());
    await approve();
    await scene.settle();
    expect(first()).toMatchObject({ status: 'superseded', reason: expect.stringMatching(reason) });
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
    expect(kinds()).toEqual(['critical_update_available', 'offer_superseded']);
  });

  it.each(NEVER)('is not changed by a request, while an update is pending: %s', async (_, change, reason) => {
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
    await announce();
    await recreate(change());
    await expect(requestUpdate(scene.deps, { container: 'web-nginx-1' })).rejects.toThrow(reason);
    expect(first().status).toBe('awaiting_approval');
  });

  it.each(NEVER)('has its pending update withdrawn with that reason: %s', async (_, change, reason) => {
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
    await announce();
    await recreate(change());
    scene.store.timers.ring('reoffer', scene.clock.now().toISOString());
    await scene.settle();
    expect(first()).toMatchObject({ status: 'superseded', reason: expect.stringMatching(reason) });
    expect(kinds()).toEqual(['critical_update_available', 'offer_superseded']);
  });
});

it('asks for approval when a database is no longer updated automatically', async () => {
  scene.engine.addImage({ reference: 'redis:7' });
  const redis = { image: 'redis:7', ports: {} };
  scene.engine.runContainer(nginx({ ...redis, labels: { 'update.allow-database': 'true' } }));
  scene.hear('docker.io/library/redis:7', scene.engine.publish('redis:7').digest);
  await handleInbox(scene.deps);
  expect(first().status).toBe('queued');
  const id = await recreate({ ...redis, labels: { 'update.allow-database': 'false' } });
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }, { status: 'awaiting_approval' }]);
  expect(scene.engine.container('web-nginx-1').Id).toBe(id);
});
