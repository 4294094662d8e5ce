import { approvalUrl, readApproval } from '../../src/decisions/approval-links';
import { decideApproval, decideById } from '../../src/decisions/approve';
import { reconcile } from '../../src/decisions/reconcile';
import { requestRehearsal } from '../../src/rehearsals/run-next-rehearsal';
import { requestUpdate } from '../../src/decisions/request-update';
import type { FoundSignature } from '../../src/domain/signatures/signature';
import type { Update } from '../../src/domain/update';
import { nginx, openScene, type Scene } from '../support/scene';
import { makeSigner, type Signer } from '../support/signer';

let scene: Scene;
let signer: Signer;
let stranger: Signer;
beforeEach(() => {
  scene = openScene();
  signer = makeSigner();
  stranger = makeSigner();
  scene.engine.addImage({ reference: 'nginx:stable' });
});
afterEach(() => {
  scene.close();
  signer.remove();
  stranger.remove();
});

const last = (): Update => scene.updates().at(-1) as Update;
const run = (labels: Record<string, string> = {}): void =>
  void scene.engine.runContainer(nginx({ labels: { 'update.verify': signer.rule, ...labels } }));
const images = () => scene.engine.host.images;
const pulls = (): number => scene.engine.transcript.filter(({ method }) => method === 'pull').length;
const mails = (kind: string) => scene.mails().filter((mail) => mail.kind === kind);

/** Of the first mail of a kind, without line breaks. */
const wordsOf = (kind: string): string => (mails(kind)[0]?.text ?? '').replace(/\s+/g, ' ');

/** Publishes the next version, signed by the given signers, before Diun speaks of it. */
async function publish(...signatures: ((digest: string) => FoundSignature)[]): Promise<string> {
  const { digest } = scene.engine.publish('nginx:stable');
  for (const sign of signatures) images().sign(`nginx@${digest}`, sign(digest));
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  return digest;
}

describe('a signature by the required key', () => {
  test.each(['payload', 'bundle'] as const)('as a %s lets the update run, and is named', async (form) => {
    run();
    await publish((digest) => signer[form](digest));
    expect(last()).toMatchObject({ status: 'succeeded', signature: { status: 'verified', by: signer.rule } });
    expect(wordsOf('update_available')).toContain(`Verified: exactly this digest is signed by ${signer.rule}.`);
  });

  test('is enough next to those of others', async () => {
    run();
    await publish(
      (digest) => stranger.payload(digest),
      (digest) => signer.bundle(digest),
    );
    expect(last()).toMatchObject({ status: 'succeeded', signature: { status: 'verified' } });
  });

  test('is required by PILOT_VERIFY too, and the label comes first', async () => {
    scene.deps.verify = { kind: 'key', path: stranger.publicKey };
    run();
    await publish((digest) => signer.payload(digest));
    expect(last()).toMatchObject({ status: 'succeeded', signature: { by: signer.rule } });
  });
});

test('without update.verify no registry is asked for signatures', async () => {
  images().silentOnSignatures.add('docker.io');
  run({ 'update.verify': 'off' });
  await publish();
  expect(last()).toMatchObject({ status: 'succeeded', signature: null });
});

describe('a missing signature', () => {
  test('makes an automatic update wait for approval, and says so', async () => {
    run();
    const digest = await publish();
    expect(last()).toMatchObject({ status: 'awaiting_approval', signature: { status: 'missing', by: null } });
    expect(last().reason).toBe(
      `web-nginx-1: the tag nginx:stable has a new digest. The update waits for approval: no signature of ${digest} is in the registry, and update.verify requires a signature.`,
    );
    expect(wordsOf('critical_update_available')).toContain('this digest is not signed, though update.verify requires');
    expect(mails('critical_update_available')[0]?.subject).toContain('not signed');
    expect(pulls()).toBe(0);
  });

  test('is known to the operator who approves', async () => {
    run();
    await publish();
    await decideById(scene.deps, last().id, 'approve', 'page');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded', signature: { status: 'missing' } });
  });

  test('makes a request of the operator wait, who then approves', async () => {
    run({ 'update.policy': 'manual' });
    scene.engine.publish('nginx:stable');
    const asked = await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    expect(asked).toMatchObject({ status: 'awaiting_approval', signature: { status: 'missing' } });
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded' });
  });

  test('of what the operator requested is mailed with its link, in place of the offer before', async () => {
    run({ 'update.policy': 'manual' });
    await publish();
    scene.engine.publish('nginx:stable');
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'awaiting_approval']);
    expect(mails('critical_update_available').map(({ text }) => text)).toEqual([
      expect.stringContaining(approvalUrl(scene.deps, scene.updates()[0] as Update)),
      expect.stringContaining(approvalUrl(scene.deps, last())),
    ]);
  });

  test('that is missing only at the start is asked about before anything is pulled', async () => {
    run({ 'update.window': 'Sun 03:00-04:00' });
    const digest = await publish((digest) => signer.payload(digest));
    expect(last()).toMatchObject({ status: 'queued', signature: { status: 'verified' } });
    images().unsign(`nginx@${digest}`);
    await scene.clock.advance(8 * 86_400_000);
    await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    await scene.settle();
    expect(last()).toMatchObject({ status: 'awaiting_approval', signature: { status: 'missing' } });
    expect(mails('critical_update_available')).toHaveLength(1);
    expect(pulls()).toBe(0);
    await decideById(scene.deps, last().id, 'approve', 'page');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded' });
  });

  test('is not rehearsed before it is approved', async () => {
    run({ 'update.rehearse': 'always' });
    await publish();
    const rehearsal = scene.store.rehearsals.of(last().id);
    expect(rehearsal).toMatchObject({
      status: 'skipped',
      detail: expect.stringMatching(/not run before its signature/),
    });
    expect(pulls()).toBe(0);
    expect(mails('critical_update_available')).toHaveLength(1);
  });

  test('is rehearsed again for who has the password, and not for who has the link only', async () => {
    run({ 'update.rehearse': 'always' });
    await publish();
    const byLink = requestRehearsal(scene.deps, last().id, 'link');
    await scene.settle();
    expect(scene.store.rehearsals.get(byLink.id)).toMatchObject({
      status: 'skipped',
      detail: expect.stringMatching(/not run before its signature/),
    });
    expect(pulls()).toBe(0);
    const again = requestRehearsal(scene.deps, last().id, 'link');
    expect(requestRehearsal(scene.deps, last().id).id).toBe(again.id);
    await scene.settle();
    expect(scene.store.rehearsals.get(again.id)?.detail).not.toMatch(/not run before its signature/);
    expect(pulls()).toBe(1);
  });
});

describe('a wrong signature', () => {
  test.each([
    ['of another key', (digest: string) => stranger.payload(digest)],
    ['of another key in a bundle', (digest: string) => stranger.bundle(digest)],
    ['over another digest', () => signer.payload(`sha256:${'0'.repeat(64)}`)],
    ['that cannot be read', (): FoundSignature => ({ form: 'bundle', json: 'x' })],
  ])('%s fails the update, quarantines the digest and is mailed', async (_, sign) => {
    run();
    const digest = await publish(sign);
    expect(last()).toMatchObject({
      status: 'failed',
      error: { code: 'signature_invalid' },
      signature: { status: 'invalid', by: null },
      to: { digest },
    });
    expect(scene.store.refusals.find('web-nginx-1', digest)).toMatchObject({ why: 'failed' });
    expect(wordsOf('update_failed')).toContain('signature_invalid');
    expect(wordsOf('update_failed')).toContain('does not retry this digest');
    expect(mails('update_failed')[0]?.subject).toContain('refused, wrong signature');
    expect(pulls()).toBe(0);
    await reconcile(scene.deps);
    expect(scene.updates()).toHaveLength(1);
  });

  test('is refused to the operator, too', async () => {
    run();
    await publish((digest) => stranger.payload(digest));
    const asked = await requestUpdate(scene.deps, { container: 'web-nginx-1' });
    expect(asked).toMatchObject({ status: 'failed', error: { code: 'signature_invalid' } });
  });

  test('is not skipped by an approval', async () => {
    run({ 'update.policy': 'manual' });
    const digest = await publish();
    images().sign(`nginx@${digest}`, stranger.payload(digest));
    await decideById(scene.deps, last().id, 'approve', 'page');
    await scene.settle();
    expect(last()).toMatchObject({ status: 'failed', error: { code: 'signature_invalid' } });
    expect(scene.store.refusals.find('web-nginx-1', digest)).toMatchObject({ why: 'failed' });
    expect(wordsOf('update_failed')).toContain('does not retry this digest');
    expect(pulls()).toBe(0);
  });

  test('supersedes the offer of the digest that the tag had before', async () => {
    run({ 'update.policy': 'manual' });
    await publish((digest) => signer.payload(digest));
    await publish((digest) => stranger.payload(digest));
    expect(scene.updates().map(({ status }) => status)).toEqual(['superseded', 'failed']);
  });
});

describe('a registry that gives no answer about signatures', () => {
  beforeEach(() => void images().silentOnSignatures.add('docker.io'));

  test('is asked again, and the update runs once it answers', async () => {
    run();
    await publish((digest) => signer.payload(digest));
    expect(last()).toMatchObject({ status: 'queued', signature: { status: 'unknown' }, startedAt: null });
    expect(last().reason).toMatch(/waits for the registry, which is asked again/);
    expect(pulls()).toBe(0);
    images().silentOnSignatures.clear();
    await scene.clock.advance(3_600_000);
    await scene.settle();
    expect(last()).toMatchObject({ status: 'succeeded', signature: { status: 'verified' } });
  });

  test('is never taken for an unsigned image: what it hid is judged when it answers', async () => {
    run({ 'update.policy': 'manual' });
    await publish();
    expect(last()).toMatchObject({ status: 'awaiting_approval', signature: { status: 'unknown' } });
    expect(last().reason).not.toMatch(/signature/);
    await decideById(scene.deps, last().id, 'approve', 'page');
    images().silentOnSignatures.clear();
    await scene.settle();
    expect(last()).toMatchObject({ status: 'awaiting_approval', signature: { status: 'missing' } });
  });

  test('leaves a used link that shows the update, and the decision to the link of the second mail', async () => {
    run({ 'update.policy': 'manual' });
    await publish();
    const tokenNow = () => approvalUrl(scene.deps, last()).split('/').at(-1) ?? '';
    const approve = (token: string) => decideApproval(scene.deps, token, { decision: 'approve', name: null });
    const used = tokenNow();
    await approve(used);
    images().silentOnSignatures.clear();
    await scene.clock.advance(1_000);
    await scene.settle();
    expect(last().status).toBe('awaiting_approval');
    expect(readApproval(scene.deps, used)).toMatchObject({ kind: 'closed', why: 'approved' });
    expect(await approve(used)).toMatchObject({ kind: 'closed' });
    expect(scene.mails().at(-1)?.text).toContain(tokenNow());
    expect(await approve(tokenNow())).toMatchObject({ kind: 'approved' });
    expect(readApproval(scene.deps, used)).toMatchObject({ kind: 'closed', why: 'approved' });
  });
});

test('a key that cannot be read stops every update, and counts against no digest', async () => {
  run({ 'update.verify': 'key:/nowhere/cosign.pub' });
  const digest = await publish((digest) => signer.payload(digest));
  expect(last()).toMatchObject({ status: 'failed', error: { code: 'signature_not_checked' } });
  expect(scene.store.refusals.find('web-nginx-1', digest)).toBeNull();
  expect(pulls()).toBe(0);
});
