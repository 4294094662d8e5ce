import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import {
  type ApprovalClaims,
  approvalUrl,
  claimsOf,
  readApproval,
  signApproval,
} from '../../src/decisions/approval-links';
import { decideApproval, recordDecision } from '../../src/decisions/approve';
import type { Update } from '../../src/domain/update';
import { formToken } from '../../src/http/access/form-token';
import { Secret } from '../../src/lib/secret';
import { offerOn } from '../support/approval-http';
import { nginx, openScene, type Scene } from '../support/scene';

// Only the token that was mailed, while it is open, gets in.
const ROUNDS = 10_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ %';

let scene: Scene;
/** The one that is open; the others were decided on, or nobody did in time. */
let open: Update;
let used: Update[];

beforeAll(async () => {
  scene = openScene();
  for (const name of ['late', 'taken', 'spurned', 'open']) {
    scene.engine.addImage({ reference: `${name}:1` });
    const labels = { 'update.policy': 'manual', 'com.docker.compose.project': name };
    scene.engine.runContainer(nginx({ name, image: `${name}:1`, ports: {}, labels }));
  }
  const late = (await offerOn(scene, 'late:1')).update;
  await scene.clock.advance(scene.deps.approvalTtlMs - 3_600_000);
  const taken = (await offerOn(scene, 'taken:1')).update;
  const spurned = (await offerOn(scene, 'spurned:1')).update;
  open = (await offerOn(scene, 'open:1')).update;
  recordDecision(scene.deps, taken, 'approve', 'api');
  recordDecision(scene.deps, spurned, 'decline', 'api');
  await scene.clock.advance(2 * 3_600_000);
  used = [late, taken, spurned];
});
afterAll(() => scene.close());

const tokenOf = (update: Update): string => approvalUrl(scene.deps, update).split('/approvals/')[1] ?? '';
const claims = (): ApprovalClaims => claimsOf(open) as ApprovalClaims;

/** One letter changed, added or taken away; cut; another's signature; an alphabet that decodes to the same. */
const altered = fc
  .tuple(fc.nat(200), fc.constantFrom(...ALPHABET), fc.nat(6), fc.nat(2))
  .map(([place, letter, how, other]) => {
    const token = tokenOf(open);
    const at = place % token.length;
    const [id = '', mac = ''] = token.split('.');
    const another = tokenOf(used[other] as Update);
    const ways = [
      `${token.slice(0, at)}${letter}${token.slice(at + 1)}`,
      `${token.slice(0, at)}${token.slice(at + 1)}`,
      `${token.slice(0, at)}${letter}${token.slice(at)}`,
      token.slice(0, at),
      `${id}.${another.split('.')[1]}`,
      `${another.split('.')[0]}.${mac}`,
      `${id.toLowerCase()}.${mac}`,
    ];
    return ways[how] ?? '';
  });

/** Signed by us with the very secret, but for something else; or by somebody else; or for other claims. */
const foreign = fc
  .tuple(fc.string({ minLength: 1 }), fc.nat(7), fc.constantFrom('approve', 'decline', 'retry', 'backup'))
  .map(([word, how, action]) => {
    const { approvalSecrets } = scene.deps;
    const [secret = new Secret('')] = approvalSecrets;
    const plainMac = createHmac('sha256', secret.reveal()).update(JSON.stringify(Object.values(claims())));
    const ways: (() => string)[] = [
      () => `${open.id}.${formToken(secret, action, open.id, scene.clock.now())}`,
      () => `${open.id}.${plainMac.digest('base64url')}`,
      () => signApproval([new Secret(word)], claims()),
      () => signApproval(approvalSecrets, { ...claims(), to: `sha256:${word}` }),
      () => signApproval(approvalSecrets, { ...claims(), from: null }),
      () => signApproval(approvalSecrets, { ...claims(), container: `open${word}` }),
      () => signApproval(approvalSecrets, { ...claims(), expiresAt: '2999-01-01T00:00:00.000Z' }),
      () => signApproval(approvalSecrets, { ...claims(), update: used[1]?.id ?? '' }),
    ];
    return (ways[how] as () => string)();
  });

const press = (token: string) => decideApproval(scene.deps, token, { decision: 'approve', name: 'open' });

it('of ten thousand altered, foreign, expired and used tokens none is accepted', async () => {
  const before = scene.updates();
  const closed = fc.nat(2).map((which) => tokenOf(used[which] as Update));
  await fc.assert(
    fc.asyncProperty(fc.oneof(altered, foreign, closed), async (token) => {
      if (token === tokenOf(open)) return;
      const wasMailed = used.some((update) => tokenOf(update) === token);
      const kind = wasMailed ? 'closed' : 'unknown';
      expect([readApproval(scene.deps, token).kind, (await press(token)).kind]).toEqual([kind, kind]);
    }),
    { numRuns: ROUNDS },
  );
  expect(scene.updates()).toEqual(before);
  expect(readApproval(scene.deps, tokenOf(open)).kind).toBe('open');
});

it('has one spelling only: of the letters that decode to the same bytes at its end, and of paddings, one is accepted', () => {
  const token = tokenOf(open);
  const ends = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', '', `${token.at(-1)}=`];
  const spellings = ends.map((end) => token.slice(0, -1) + end);
  expect(spellings.filter((spelling) => readApproval(scene.deps, spelling).kind === 'open')).toEqual([token]);
});

it('says of each closed one why it is closed', () => {
  const why = used.map((update) => readApproval(scene.deps, tokenOf(update)));
  expect(why).toMatchObject([{ why: 'expired' }, { why: 'approved' }, { why: 'declined' }]);
});

it('a link of before the rotation of the secret still opens, one of a secret that is gone does not', () => {
  const [old] = scene.deps.approvalSecrets;
  const next = new Secret('the new one');
  const asOf = (...approvalSecrets: (Secret | undefined)[]) =>
    readApproval(
      { ...scene.deps, approvalSecrets: approvalSecrets.filter((each) => each !== undefined) },
      tokenOf(open),
    );
  expect(asOf(next, old)).toMatchObject({ kind: 'open' });
  expect(asOf(next)).toEqual({ kind: 'unknown' });
});
