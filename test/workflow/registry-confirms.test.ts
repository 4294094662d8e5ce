import { decideApproval, decideById } from '../../src/decisions/approve';
import { approvalUrl } from '../../src/decisions/approval-links';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { requestUpdate } from '../../src/decisions/request-update';
import { EngineError } from '../../src/domain/errors';
import type { Update } from '../../src/domain/update';
import { nginx, openScene, type Scene } from '../support/scene';

const REGISTRY = 'docker.io';
const MINUTE = 60_000;
const manual = nginx({ labels: { 'update.policy': 'manual' } });
let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:1.27.3' });
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

const last = (): Update => scene.updates().at(-1) as Update;
const silence = (): void => void scene.engine.host.images.away.add(REGISTRY);
const answerAgain = (): void => void scene.engine.host.images.away.delete(REGISTRY);
const kinds = (): string[] => scene.mails().map(({ kind }) => kind);

async function hear(image: string, digest: string): Promise<void> {
  scene.hear(`docker.io/library/${image}`, digest);
  await scene.settle();
}

describe('what a webhook announces', () => {
  it('is refused and shown when the registry names another digest for the tag', async () => {
    const id = scene.engine.runContainer(nginx());
    const older = scene.engine.publish('nginx:1.26.0').digest;
    await hear('nginx:stable', older);
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
    expect(scene.updates()).toMatchObject([
      { container: 'web-nginx-1', status: 'ignored', reason: expect.stringMatching(/The registry names sha256:/) },
    ]);
    expect(kinds()).toEqual([]);
  });

  it('with a digest instead of a tag is about the tag latest, as Diun means it, and no other', async () => {
    const { digest: latest } = scene.engine.publish('nginx:latest');
    const ask = scene.engine.registryDigest.bind(scene.engine);
    // As the engine does: of a digest it reports that digest.
    scene.engine.registryDigest = (reference) => Promise.resolve(reference.split('@')[1] ?? ask(reference));
    const labels = { 'update.allow': 'digest', 'diun.watch_repo': 'false' };
    const id = scene.engine.runContainer(nginx({ image: 'nginx:1.27.3', labels }));
    scene.engine.addImage({ reference: 'nginx:latest' });
    scene.engine.runContainer(nginx({ name: 'of-latest', image: 'nginx:latest', ports: {}, labels }));
    await hear(`nginx@${latest}`, latest);
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
    expect(kinds()).toEqual([]);
    scene.engine.publish('nginx:latest', { logs: ['newer'] });
    await hear(`nginx@${latest}`, latest);
    expect(scene.engine.container('web-nginx-1')).toMatchObject({ Id: id, Config: { Image: 'nginx:1.27.3' } });
    expect(kinds()).toEqual([]);
  });

  it('is refused and shown when the registry does not know the tag', async () => {
    const id = scene.engine.runContainer(nginx({ image: 'nginx:1.27.3', labels: { 'diun.watch_repo': 'true' } }));
    await hear('nginx:1.27.4', scene.engine.publish('nginx:1.26.0').digest);
    expect(scene.engine.container('web-nginx-1').Id).toBe(id);
    expect(last()).toMatchObject({
      status: 'ignored',
      reason: expect.stringMatching(/does not know .*nginx:1\.27\.4/),
    });
  });

  it('waits while the registry does not answer, says so, and is acted on once it does', async () => {
    scene.engine.runContainer(nginx());
    const { id, digest } = scene.engine.publish('nginx:stable');
    silence();
    await hear('nginx:stable', digest);
    expect(scene.updates()).toEqual([]);
    expect(scene.store.inbox.recent(1)).toMatchObject([
      { status: 'pending', outcome: expect.stringMatching(/^Waiting: .*does not answer/) },
    ]);
    answerAgain();
    await scene.clock.advance(MINUTE);
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded' });
    expect(scene.engine.container('web-nginx-1').Image).toBe(id);
  });

  it('keeps no other event waiting, and does not ask a silent registry at each turn', async () => {
    scene.engine.runContainer(nginx());
    scene.engine.addImage({ reference: 'quay.io/app:1' });
    scene.engine.runContainer(nginx({ name: 'app', image: 'quay.io/app:1', ports: {} }));
    const stable = scene.engine.publish('nginx:stable').digest;
    silence();
    for (let event = 0; event < 60; event++)
      scene.hear(`docker.io/library/nginx:stable`, stable, event % 2 ? 'new' : 'update');
    scene.hear('quay.io/app:1', scene.engine.publish('quay.io/app:1').digest);
    await scene.settle();
    expect(scene.updates()).toMatchObject([{ container: 'app', status: 'succeeded' }]);
    const asked = (): number =>
      scene.engine.lines({ reads: true }).filter((line) => /^registryDigest .*nginx/.test(line)).length;
    const before = asked();
    for (let turn = 0; turn < 20; turn++) {
      await scene.clock.advance(1_000);
      await handleInbox(scene.deps);
    }
    // Sixty events are two batches, and half a minute may have passed.
    expect(asked() - before).toBeLessThanOrEqual(2);
  });

  it('is not asked about at each turn while an update of another container of the repository runs', async () => {
    scene.engine.runContainer(nginx());
    scene.engine.runContainer(nginx({ name: 'worker', ports: {} }));
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await handleInbox(scene.deps);
    const { id } = scene.updates().find(({ container }) => container === 'worker') as Update;
    scene.store.updates.change(id, { status: 'running', startedAt: scene.clock.now().toISOString() });
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    const asked = (): number =>
      scene.engine.lines({ reads: true }).filter((line) => line.startsWith('registryDigest')).length;
    const before = asked();
    for (let turn = 0; turn < 20; turn++) expect(await handleInbox(scene.deps)).toBe(0);
    expect(asked()).toBe(before);
  });

  it('is not asked about at the registry where nothing would be done anyway', async () => {
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'ignore' } }));
    await hear('nginx:stable', scene.engine.publish('nginx:stable').digest);
    expect(scene.engine.lines({ reads: true }).filter((line) => line.startsWith('registryDigest'))).toEqual([]);
  });
});

describe('an approval', () => {
  beforeEach(async () => {
    scene.engine.runContainer(manual);
    await hear('nginx:stable', scene.engine.publish('nginx:stable').digest);
    expect(last().status).toBe('awaiting_approval');
  });

  const byLink = (): Promise<unknown> => {
    const token = approvalUrl(scene.deps, last()).split('/approvals/')[1] ?? '';
    return decideApproval(scene.deps, token, { decision: 'approve', name: null });
  };
  const ways: [string, () => Promise<unknown>][] = [
    ['by link', byLink],
    [
      'on the page and the command line',
      () => decideById(scene.deps, last().id, 'approve', 'api').catch((error: unknown) => error),
    ],
    ['by the API', () => requestUpdate(scene.deps, { container: 'web-nginx-1' }).catch((error: unknown) => error)],
  ];

  it.each(ways)('%s starts nothing that the tag no longer names', async (_, approve) => {
    const offered = last();
    const newer = scene.engine.publish('nginx:stable', { logs: ['newer'] });
    await approve();
    await scene.settle();
    expect(scene.store.updates.get(offered.id)?.status).toBe('superseded');
    expect(scene.engine.container('web-nginx-1').Image).not.toBe(offered.to.digest);
    expect([last().status, last().to.digest]).toEqual([
      expect.stringMatching(/awaiting_approval|succeeded/),
      newer.digest,
    ]);
  });

  it.each(ways)('%s is refused while the registry does not know the tag', async (_, approve) => {
    const { Id } = scene.engine.container('web-nginx-1');
    scene.engine.host.images.unpublish('nginx:stable');
    const answer = await approve();
    expect(JSON.stringify(answer, ['kind', 'code', 'message'])).toMatch(/registry_refused|refused/);
    await scene.settle();
    expect(scene.engine.container('web-nginx-1').Id).toBe(Id);
    expect(last().status).toBe('awaiting_approval');
  });

  it.each(ways.slice(0, 2))(
    '%s is kept while the registry does not answer, and starts once it does',
    async (_, approve) => {
      silence();
      await approve();
      await scene.settle();
      expect(last()).toMatchObject({ status: 'queued', reason: expect.stringMatching(/waits for the registry/i) });
      answerAgain();
      await scene.clock.advance(MINUTE);
      await scene.settle();
      expect(last()).toMatchObject({ status: 'succeeded' });
    },
  );
});

describe('what is queued', () => {
  async function queue(): Promise<void> {
    scene.engine.runContainer(nginx());
    scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
    await handleInbox(scene.deps);
    expect(last().status).toBe('queued');
  }

  const SUPERSEDED = {
    status: 'superseded',
    reason: expect.stringMatching(/was not changed. The registry names sha256:/),
  };

  it('is not started when the tag has moved since: the digest that the tag has now is decided on at once', async () => {
    await queue();
    const { id, digest } = scene.engine.publish('nginx:stable', { logs: ['newer'] });
    await scene.settle();
    expect(scene.updates()).toMatchObject([SUPERSEDED, { status: 'succeeded', source: 'diun', to: { digest } }]);
    expect(scene.engine.container('web-nginx-1').Image).toBe(id);
    expect(scene.engine.lines().filter((line) => line.startsWith('pull'))).toHaveLength(1);
  });

  it('nothing is started when the tag moved back to the running image', async () => {
    await queue();
    const running = scene.engine.host.images.find('nginx:stable');
    scene.engine.publish('nginx:stable', { id: running.id });
    await scene.settle();
    expect(scene.updates()).toMatchObject([SUPERSEDED, { status: 'ignored' }]);
    expect(scene.engine.lines()).toEqual([]);
  });

  it.each([
    ['was approved', 'diun'],
    ['was requested by an operator', 'operator'],
  ])('one that %s needs a new approval: the older one was for another digest', async (_, how) => {
    scene.engine.runContainer(manual);
    const offered = scene.engine.publish('nginx:stable').digest;
    if (how === 'operator') await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    else {
      await hear('nginx:stable', offered);
      await decideById(scene.deps, last().id, 'approve', 'api');
    }
    expect(last()).toMatchObject({ status: 'queued', to: { digest: offered } });
    const { digest } = scene.engine.publish('nginx:stable', { logs: ['newer'] });
    await scene.settle();
    expect(scene.updates()).toMatchObject([SUPERSEDED, { status: 'awaiting_approval', to: { digest } }]);
    expect(kinds().at(-1)).toBe('critical_update_available');
    expect(scene.engine.lines()).toEqual([]);
  });

  it('fails, with nothing changed, when the registry no longer knows the tag', async () => {
    await queue();
    scene.engine.host.images.unpublish('nginx:stable');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'failed', error: { code: 'registry_refused' } });
    expect(scene.engine.lines()).toEqual([]);
    expect(scene.store.refusals.all()).toEqual([]);
  });

  it('waits, says so and lets others go first, while the registry does not answer', async () => {
    scene.engine.addImage({ reference: 'quay.io/app:1' });
    scene.engine.runContainer(nginx({ name: 'app', image: 'quay.io/app:1', ports: {} }));
    await queue();
    const held = last();
    scene.hear('quay.io/app:1', scene.engine.publish('quay.io/app:1').digest);
    silence();
    await scene.settle();
    expect(scene.store.updates.get(held.id)).toMatchObject({
      status: 'queued',
      reason: expect.stringMatching(/waits for the registry/i),
    });
    expect(last()).toMatchObject({ container: 'app', status: 'succeeded' });
    answerAgain();
    await scene.clock.advance(MINUTE);
    await scene.settle();
    expect(scene.store.updates.get(held.id)).toMatchObject({ status: 'succeeded' });
  });

  it('is not started by an answer of the registry that fails otherwise', async () => {
    await queue();
    scene.engine.failNext('registryDigest', new EngineError('engine_unreachable', 'The engine went away.'));
    await expect(scene.settle()).rejects.toMatchObject({ code: 'engine_unreachable' });
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded' });
  });
});

describe('the operator', () => {
  it('cannot name a digest that the tag does not have', async () => {
    scene.engine.runContainer(nginx());
    const other = scene.engine.publish('nginx:1.26.0').digest;
    scene.engine.publish('nginx:stable');
    await expect(
      requestUpdate(scene.deps, { container: 'web-nginx-1', image: `nginx:stable@${other}` }),
    ).rejects.toMatchObject({ code: 'digest_not_confirmed' });
    expect(scene.updates()).toEqual([]);
  });
});
