import { decideById } from '../../src/decisions/approve';
import { handleInbox } from '../../src/decisions/handle-inbox';
import { outboxProblems } from '../../src/diagnosis/problems';
import { MailError } from '../../src/domain/errors';
import { createDelivery } from '../../src/notifications/deliver';
import { sendDigest } from '../../src/notifications/digest';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
beforeEach(() => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => scene.close());

/** What a mail server was given, with the digest switched on or off. */
async function delivered(digest: boolean, { down = false } = {}): Promise<string[]> {
  const subjects: string[] = [];
  const away = new MailError('mail_unreachable', 'The mail server does not answer.', false);
  const transport = {
    send: ({ subject }: { subject: string }) =>
      down ? Promise.reject(away) : Promise.resolve(void subjects.push(subject)),
    check: () => Promise.resolve(),
  };
  const { store, clock, deps } = scene;
  const addresses = { from: 'a@example.org', to: ['b@example.org'] };
  await createDelivery({ store, transport, clock, logger: deps.logger, digest, ...addresses }).deliverDue();
  return subjects;
}

async function automaticUpdate(): Promise<void> {
  scene.engine.runContainer(nginx());
  const { digest } = scene.engine.publish('nginx:stable');
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
}

test('an automatic update that succeeded has no mail of its own, and stands in the digest with its announcement', async () => {
  await automaticUpdate();
  expect(await delivered(true)).toEqual([]);
  await expect(sendDigest(scene.deps)).resolves.toMatchObject({ trouble: null });
  expect(await delivered(true)).toEqual(['[diun-pilot] digest: 2 messages, nothing to do']);
  expect(scene.mails().find(({ kind }) => kind === 'digest')?.text).toMatch(
    /web-nginx-1: update available[\s\S]*web-nginx-1: updated/,
  );
  // Said once, above the list.
  expect(scene.mails().find(({ kind }) => kind === 'digest')?.text).not.toContain('nothing to do\n');
  await sendDigest(scene.deps);
  expect(await delivered(true)).toEqual([]);
});

test('what waits for the digest is not late', async () => {
  await automaticUpdate();
  await delivered(true);
  await scene.clock.advance(16 * 60_000);
  expect(outboxProblems(scene.store.outbox.state(), scene.clock.now())).toEqual([]);
});

test('a success with a manual step left is in the digest with that step, and the digest does not say that there is none', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
  const [waiting] = scene.updates();
  scene.store.updates.change(waiting?.id ?? '', { followUp: 'Write image: nginx:1.28 into compose.yml' });
  await decideById(scene.deps, waiting?.id ?? '', 'approve', 'api');
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'succeeded' }]);
  await delivered(true);
  await sendDigest(scene.deps);
  const sent = scene.mails().find(({ kind }) => kind === 'digest');
  expect(sent?.subject).toBe('[diun-pilot] digest: 1 message, 1 manual step left');
  expect(sent?.text).toMatch(
    /What to do now\n-+\n\n- web-nginx-1: updated: Write image: nginx:1\.28 into compose\.yml/,
  );
  expect(sent?.text).not.toContain('nothing to do');
});

test('without a digest the announcement is mailed at once, and the success is not', async () => {
  await automaticUpdate();
  expect(await delivered(false)).toEqual([expect.stringContaining('update available')]);
});

test('what needs a decision and what failed never waits for the digest', async () => {
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
  await scene.settle();
  expect(await delivered(true)).toEqual([expect.stringContaining('critical update available')]);
  await expect(sendDigest(scene.deps)).resolves.toMatchObject({ outcome: 'Nothing to report.' });
});

test('a digest that is switched off again leaves nothing behind: what waited for it is mailed', async () => {
  await automaticUpdate();
  await delivered(true);
  expect(await delivered(false)).toEqual([expect.stringContaining('update available')]);
});

test('a mail that was tried before the digest was switched on is tried again, and is not in the digest', async () => {
  await automaticUpdate();
  await delivered(false, { down: true });
  await scene.clock.advance(60_000);
  await sendDigest(scene.deps);
  expect(await delivered(true)).toEqual([
    expect.stringContaining('update available'),
    '[diun-pilot] digest: 1 message, nothing to do',
  ]);
  expect(scene.store.outbox.state().pending).toBe(0);
});

describe('a flood of announcements', () => {
  beforeEach(() => {
    scene.deps.mailDigest = true;
  });

  async function announceAutomatic(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      scene.hear('docker.io/library/nginx:stable', scene.engine.publish('nginx:stable').digest);
      await handleInbox(scene.deps);
    }
  }

  test('that waits for the digest delays no decision', async () => {
    const id = scene.engine.runContainer(nginx());
    await announceAutomatic(8);
    expect(await delivered(true)).toEqual([]);
    await scene.engine.stop(id);
    await scene.engine.remove(id);
    scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
    await announceAutomatic(1);
    expect(await delivered(true)).toContainEqual(expect.stringContaining('critical update available'));
  });

  test('is in the digest with its latest announcement, which is held for channels', async () => {
    scene.engine.runContainer(nginx());
    await announceAutomatic(8);
    await sendDigest(scene.deps);
    expect(scene.mails().find(({ kind }) => kind === 'digest')?.subject).toContain('7 messages');
    expect(scene.store.outbox.forDigest('')).toEqual([]);
  });
});
