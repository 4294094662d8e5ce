import { receiveWebhook } from '../../src/decisions/receive-webhook';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { nginx, openScene, type Scene } from '../support/scene';

// A valid webhook token may announce what it likes: that fills neither the disk nor the mailbox.

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

const HOUR = 3_600_000;
const digestOf = (n: number): string => `sha256:${String(n).padStart(64, '0')}`;

async function announce(image: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    scene.hear(`docker.io/library/${image}`, scene.engine.publish(image, { logs: [`${n} of ${count}`] }).digest);
    await handleInbox(scene.deps);
  }
}

const due = () => scene.store.outbox.due(scene.clock.now().toISOString());
const runManual = (name = 'web-nginx-1') =>
  scene.engine.runContainer(nginx({ name, labels: { 'update.policy': 'manual' } }));

describe('mails', () => {
  it('about one container are six an hour; one more stands for the rest, with the link that counts', async () => {
    runManual();
    await announce('nginx:stable', 20);
    expect(due()).toHaveLength(6);
    expect(scene.mails()).toHaveLength(7);
    const newest = scene.updates().findLast(({ status }) => status === 'awaiting_approval');
    await scene.clock.advance(HOUR);
    const last = due().at(-1);
    expect(due()).toHaveLength(7);
    expect(last).toMatchObject({ kind: 'critical_update_available', updateId: newest?.id });
    expect(last?.text.replace(/\s+/g, ' ')).toContain('also covers 13 earlier versions');
    expect(last?.text).toContain(newest?.to.digest);
  });

  it('that are held do not count as late', async () => {
    runManual();
    await announce('nginx:stable', 8);
    for (const { id } of due()) scene.store.outbox.sent(id);
    expect(scene.store.outbox.state()).toMatchObject({ pending: 0, oldestPendingAt: null });
    await scene.clock.advance(HOUR);
    expect(scene.store.outbox.state()).toMatchObject({ pending: 1 });
  });

  it('about another container are not held for it', async () => {
    runManual();
    await announce('nginx:stable', 8);
    scene.engine.addImage({ reference: 'httpd:2' });
    scene.engine.runContainer(
      nginx({ name: 'other', image: 'httpd:2', ports: {}, labels: { 'update.policy': 'manual' } }),
    );
    await announce('httpd:2', 1);
    expect(due()).toHaveLength(7);
  });

  it('are sent at once again after an hour, and none that no longer holds follows', async () => {
    runManual();
    await announce('nginx:stable', 8);
    for (const { id } of due()) scene.store.outbox.sent(id);
    await scene.clock.advance(HOUR - 60_000);
    await announce('nginx:stable', 1);
    expect(due()).toHaveLength(0);
    await scene.clock.advance(61_000);
    await announce('nginx:stable', 1);
    expect(due()).toHaveLength(2);
    await scene.clock.advance(2 * HOUR);
    expect(due()).toHaveLength(2);
  });

  it('that request a decision are not withdrawn for another offer, and no other mail claims to cover them', async () => {
    scene.store.channels.use([{ id: 'phone', name: 'phone', kind: 'ntfy', topics: ['decisions'] }]);
    scene.engine.addImage({ reference: 'nginx:1.27.0' });
    scene.engine.runContainer(nginx({ image: 'nginx:1.27.0', labels: { 'diun.watch_repo': 'true' } }));
    await announce('nginx:1.27.0', 6);
    await announce('nginx:2.0.0', 1);
    await announce('nginx:1.27.0', 2);
    const major = scene.updates().find(({ status }) => status === 'awaiting_approval');
    for (const { id } of due()) scene.store.outbox.sent(id);
    await scene.clock.advance(HOUR);
    const [request, automatic, ...more] = due();
    expect(more).toEqual([]);
    expect(request).toMatchObject({ kind: 'critical_update_available', updateId: major?.id });
    expect(automatic?.kind).toBe('update_available');
    expect(automatic?.text.replace(/\s+/g, ' ')).toContain('also covers 1 earlier version.');
    const notices = scene.store.channels.of('phone').due(scene.clock.now().toISOString());
    expect(notices.map(({ updateId }) => updateId)).toEqual([major?.id]);
  });
});

describe('the database', () => {
  const body = (n: number, filler = 0): string =>
    JSON.stringify({
      status: 'update',
      provider: 'docker',
      image: `docker.io/library/none-${n}:1`,
      digest: digestOf(n),
      platform: 'linux/amd64',
      hub_link: '',
      filler: 'x'.repeat(filler),
    });
  const bytesKept = (): number =>
    scene.store.inbox.recent(100_000).reduce((sum, webhook) => sum + Buffer.byteLength(webhook.body), 0);

  it('keeps at most 32 MiB of bodies, the newest ones, whatever they say', async () => {
    for (let n = 0; n < 900; n++) {
      receiveWebhook(scene.store.inbox, body(n, 60_000));
      if (n % 50 === 0) while ((await handleInbox(scene.deps)) > 0);
    }
    const newest = scene.store.inbox.recent(1)[0];
    expect(newest?.body).toBe(body(899, 60_000));
    expect(bytesKept()).toBeLessThanOrEqual(32 * 1024 * 1024);
    expect(bytesKept()).toBeGreaterThan(16 * 1024 * 1024);
  }, 120_000);

  it('keeps as little of what cannot be read', () => {
    for (let n = 0; n < 700; n++) expect(() => receiveWebhook(scene.store.inbox, 'x'.repeat(60_000))).toThrow();
    expect(bytesKept()).toBeLessThanOrEqual(32 * 1024 * 1024);
  }, 120_000);

  it('deletes nothing that waits for its decision, and takes no more than a thousand of it', () => {
    for (let n = 0; n < 1_000; n++) receiveWebhook(scene.store.inbox, body(n));
    expect(() => receiveWebhook(scene.store.inbox, body(1_000))).toThrow(/are already pending/);
    expect(scene.store.inbox.pending(2_000)).toHaveLength(1_000);
  }, 120_000);

  it('keeps the newest two thousand events that required nothing', () => {
    const insert = (n: number) =>
      scene.store.updates.insert({
        ...{ container: null, project: null, service: null, policy: null, status: 'ignored', reason: `event ${n}` },
        ...{
          source: 'diun',
          from: null,
          to: { reference: 'x:1', digest: digestOf(n) },
          approval: null,
          followUp: null,
        },
        finishedAt: scene.clock.now().toISOString(),
      });
    const first = insert(0);
    for (let n = 1; n <= 2_001; n++) insert(n);
    expect(scene.store.updates.get(first.id)).toBeNull();
    expect(scene.store.updates.countByStatus()).toMatchObject({ ignored: 2_000 });
  }, 120_000);
});
