import { randomInt } from 'node:crypto';
import { decideApproval, recordById } from '../../src/decisions/approve';
import { approvalUrl, readApproval } from '../../src/decisions/approval-links';
import type { Update } from '../../src/domain/update';
import { requestUpdate } from '../../src/decisions/request-update';
import { expectEndsHaveTimes } from '../support/expect-ends-have-times';
import { nginx, openScene, type Scene } from '../support/scene';

let scene: Scene;
let token: string;
beforeEach(async () => {
  scene = openScene();
  scene.engine.addImage({ reference: 'nginx:stable' });
  scene.engine.runContainer(nginx({ labels: { 'update.policy': 'manual' } }));
  await offer();
});
afterEach(() => {
  expectEndsHaveTimes(scene);
  scene.close();
});

/** Of the links in a mail: each stands there to be opened, and once more to decline. */
const tokensIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/^https:\/\/pilot\.example\/approvals\/([^\s#]+)(?:#decline)?$/gm)].map(([, each]) => each ?? ''),
  ),
];
const first = (): Update => scene.updates()[0] as Update;
const tokenOf = (update: Update): string => approvalUrl(scene.deps, update).split('/approvals/')[1] ?? '';

async function offer(): Promise<void> {
  const { digest } = scene.engine.publish('nginx:stable', { logs: [String(randomInt(1e9))] });
  scene.hear('docker.io/library/nginx:stable', digest);
  await scene.settle();
  token = tokenOf(scene.updates().at(-1) as Update);
}

const approve = () => decideApproval(scene.deps, token, { decision: 'approve', name: null });
const decline = () => decideApproval(scene.deps, token, { decision: 'decline', name: null });

it('shows the plan to whoever holds the token, and changes nothing', () => {
  for (let look = 0; look < 100; look++) {
    expect(readApproval(scene.deps, token)).toMatchObject({ kind: 'open', plan: { container: 'web-nginx-1' } });
  }
  expect(first().status).toBe('awaiting_approval');
});

it('runs what was approved', async () => {
  expect(await approve()).toMatchObject({
    kind: 'approved',
    update: { status: 'queued', approval: { status: 'approved' } },
  });
  await scene.settle();
  expect(first().status).toBe('succeeded');
  expect(readApproval(scene.deps, token)).toMatchObject({ kind: 'closed', why: 'approved' });
});

it('remembers what was declined, and does not offer it again', async () => {
  const { to } = first();
  expect(await decline()).toMatchObject({ kind: 'declined', update: { status: 'declined' } });
  scene.hear('docker.io/library/nginx:stable', `sha256:${'0'.repeat(64)}`);
  scene.hear('docker.io/library/nginx:stable', to.digest ?? '');
  await scene.settle();
  expect(scene.updates().at(-1)).toMatchObject({ status: 'ignored', reason: expect.stringMatching(/declined/) });
});

it('counts one of a hundred approvals at once', async () => {
  const outcomes = await Promise.all(Array.from({ length: 100 }, approve));
  expect(outcomes.filter(({ kind }) => kind === 'approved')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome.kind === 'closed' && outcome.why === 'approved')).toHaveLength(99);
  await scene.settle();
  expect(scene.updates()).toHaveLength(1);
});

it('does not approve what expired, and says so', async () => {
  await scene.clock.advance(72 * 3_600_000);
  expect(await approve()).toMatchObject({ kind: 'closed', why: 'expired' });
  expect(first().status).toBe('awaiting_approval');
});

it('offers anew when the tag moved meanwhile, by a mail with a new link', async () => {
  const { digest } = scene.engine.publish('nginx:stable', { logs: ['newer'] });
  expect(await approve()).toMatchObject({ kind: 'moved' });
  await scene.settle();
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }, { status: 'awaiting_approval', to: { digest } }]);
  expect(readApproval(scene.deps, token)).toMatchObject({ kind: 'closed', why: 'superseded' });
  const notice = scene.mails().at(-1)?.text ?? '';
  expect(notice).toMatch(/earlier\s+offer/);
  expect(tokensIn(notice)).toEqual([tokenOf(scene.updates()[1] as Update)]);
});

it('says in a mail that a link is void when no new offer took its place', async () => {
  const { digest } = scene.engine.publish('nginx:stable', { logs: ['newer'] });
  await requestUpdate(scene.deps, { container: 'web-nginx-1' });
  expect(scene.updates()).toMatchObject([{ status: 'superseded' }, { status: 'queued', to: { digest } }]);
  const [offered, notice] = scene.mails();
  expect(notice).toMatchObject({
    kind: 'offer_superseded',
    subject: expect.stringContaining('no longer valid'),
  });
  expect(tokensIn(offered?.text ?? '')).toEqual([token]);
  expect(tokensIn(notice?.text ?? '')).toEqual([]);
});

it('says in a mail that an approved update was not begun, since the container was changed in the meantime', async () => {
  await approve();
  scene.engine.addImage({ reference: 'nginx:other' });
  const { Id } = scene.engine.container('web-nginx-1');
  await scene.engine.stop(Id);
  await scene.engine.remove(Id);
  scene.engine.runContainer(nginx({ image: 'nginx:other' }));
  await scene.settle();
  expect(first().status).toBe('superseded');
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available', 'offer_superseded']);
});

it('approves also when the registry does not answer: what is pulled is the approved digest', async () => {
  scene.engine.reachable = false;
  expect(await approve()).toMatchObject({ kind: 'approved' });
});

it('wants the name typed where the container holds data', async () => {
  scene.engine.runContainer(
    nginx({
      name: 'files-1',
      ports: {},
      labels: { 'update.policy': 'manual', 'backup.kind': 'files', 'backup.paths': '/data' },
    }),
  );
  scene.store.refusals.all();
  await offer();
  const update = scene
    .updates()
    .find(({ container, status }) => container === 'files-1' && status === 'awaiting_approval') as Update;
  const answer = (name: string | null) => decideApproval(scene.deps, tokenOf(update), { decision: 'approve', name });
  expect(await answer(null)).toMatchObject({ kind: 'name_needed' });
  expect(await answer('files-2')).toMatchObject({ kind: 'name_needed' });
  expect(scene.store.updates.get(update.id)?.status).toBe('awaiting_approval');
  expect(await answer(' files-1 ')).toMatchObject({ kind: 'approved' });
});

it('reminds once, a day before the link expires', async () => {
  await scene.clock.advance(47 * 3_600_000);
  await scene.settle();
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available']);
  await scene.clock.advance(2 * 3_600_000);
  await scene.settle();
  await scene.settle();
  expect(scene.mails().map(({ kind }) => kind)).toEqual(['critical_update_available', 'approval_reminder']);
  for (const { text } of scene.mails()) expect(tokensIn(text)).toEqual([token]);
});

it('takes no decision by id of what has expired, also before that is written down', async () => {
  await scene.clock.advance(72 * 3_600_000);
  for (const decision of ['approve', 'decline'] as const)
    expect(() => recordById(scene.deps, first().id, decision, 'api')).toThrow('it is expired');
  expect(first().status).toBe('awaiting_approval');
});

it('lets whoever is on the host decide by id, once', () => {
  expect(recordById(scene.deps, first().id, 'decline', 'cli:0').status).toBe('declined');
  expect(() => recordById(scene.deps, first().id, 'approve', 'cli:0')).toThrow(/is not pending: it is declined/);
  expect(() => recordById(scene.deps, 'nothing', 'approve', 'api')).toThrow(/No update has this ID/);
});
