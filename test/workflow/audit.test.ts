import { decideApproval, decideById } from '../../src/decisions/approve';
import { requestUpdate } from '../../src/decisions/request-update';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(async () => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
});
afterEach(() => scene.close());

const trail = () =>
  scene.store.audit
    .list({ limit: 100 })
    .entries.reverse()
    .map(({ kind, actor, detail }) => [kind, actor, detail['decision'] ?? detail['status']]);

test('who decided, and everything that came of it, in one whole chain', async () => {
  const [update] = scene.updates();
  await decideById(scene.deps, update?.id ?? '', 'approve', 'cli:1000');
  await scene.settle();
  expect(trail()).toEqual([
    ['decision', 'cli:1000', 'approved'],
    ['update', 'diun-pilot', 'running'],
    ['update', 'diun-pilot', 'succeeded'],
  ]);
  expect(scene.store.audit.verify()).toMatchObject({ entries: 3, broken: null });
  expect(scene.updates()[0]?.approval).toMatchObject({ decidedBy: 'cli:1000' });
});

test('a decision by link says from where, and who else opened the link', async () => {
  const [, token = ''] = /\/approvals\/([\w.-]+)/.exec(scene.mails().at(-1)?.text ?? '') ?? [];
  const seen = { address: '10.0.0.2', userAgent: 'phone', alsoOpenedBy: [{ address: '10.0.0.9', userAgent: 'other' }] };
  await decideApproval(scene.deps, token, { decision: 'decline', name: null, seen });
  expect(scene.store.audit.list({ limit: 1 }).entries).toMatchObject([
    { kind: 'decision', actor: 'link', detail: { decision: 'declined', container: 'web-nginx-1', ...seen } },
  ]);
});

test('who requested an update', async () => {
  scene.engine.publish('nginx:stable');
  const { id } = await requestUpdate(scene.deps, { container: 'web-nginx-1' }, 'page:alice');
  expect(trail()).toEqual([
    ['update', 'diun-pilot', 'superseded'],
    ['decision', 'page:alice', 'requested'],
  ]);
  expect(scene.store.audit.list({ limit: 1 }).entries).toMatchObject([
    { subject: id, detail: { container: 'web-nginx-1', reference: 'nginx:stable', digest: expect.any(String) } },
  ]);
});

test('who started an update before its window', async () => {
  scene.engine.addImage({ reference: 'other:1' });
  const labels = { 'update.window': 'Sun 05:00-06:00' };
  scene.engine.runContainer(nginx({ name: 'web-other-1', image: 'other:1', ports: {}, labels }));
  scene.hear('docker.io/library/other:1', scene.engine.publish('other:1').digest);
  await scene.settle();
  await requestUpdate(scene.deps, { container: 'web-other-1' }, 'page:alice');
  expect(trail().at(-1)).toEqual(['decision', 'page:alice', 'started early']);
});

test('a request that needs nothing leaves no record', async () => {
  await requestUpdate(scene.deps, { container: 'web-nginx-1' }, 'api');
  await requestUpdate(scene.deps, { container: 'web-nginx-1' }, 'api');
  expect(trail()).toEqual([['decision', 'api', 'approved']]);
});
