import type { Container } from '../../../../src/domain/container';
import { decide, type Decision, type Question } from '../../../../src/domain/decision/decision';
import { aContainer, digest } from '../../../support/container-builder';

const NEW = digest('b');
const SAME = { refusal: null, sameImage: true };
const AT = '2026-11-23T12:00:00.000Z';

type Asked = { container?: Container; to?: string } & { digest?: string } & Partial<
    Question['known'] & Pick<Question, 'source' | 'registry'>
  >;

function ask({ container = aContainer(), to = 'docker.io/library/nginx:1.27.3', ...rest }: Asked = {}): Decision {
  return decide({
    container,
    target: { reference: to, digest: rest.digest ?? NEW },
    known: { refusal: rest.refusal ?? null, open: rest.open ?? [] },
    source: rest.source ?? 'diun',
    ...(rest.registry && { registry: rest.registry }),
  });
}

const automatic = (labels: Record<string, string> = {}): Container =>
  aContainer({ labels: { 'update.policy': 'automatic', ...labels } });

describe('policy and size of the jump', () => {
  test('an automatic container starts on a new digest of its tag, and the reason says so', () => {
    expect(ask({ container: automatic() })).toEqual({
      kind: 'start',
      jump: 'digest',
      reason: 'web: the tag nginx:1.27.3 has a new digest. The policy is automatic, up to minor updates.',
      supersedes: [],
    });
  });

  test('a manual one asks', () => {
    expect(ask()).toMatchObject({
      kind: 'ask',
      jump: 'digest',
      reason: expect.stringContaining('the policy is manual'),
    });
  });

  test('an automatic one asks where its image was built here, and says so; the operator may start it', () => {
    const container = { ...automatic(), repoDigests: [] };
    expect(ask({ container })).toMatchObject({
      kind: 'ask',
      reason:
        'web: the tag nginx:1.27.3 has another image in the registry. The update waits for approval: its image was built or loaded on this host, and no registry is known to have it.',
    });
    expect(ask({ container, source: 'operator' }).kind).toBe('start');
  });

  test('two spellings of one tag are the same tag', () => {
    const container = aContainer({
      reference: 'index.docker.io/library/nginx',
      labels: { 'update.policy': 'automatic' },
    });
    expect(ask({ container, to: 'nginx:latest' })).toMatchObject({ kind: 'start', jump: 'digest' });
  });

  test.each([
    ['digest', '1.27.3', 'start'],
    ['digest', '1.27.4', 'ask'],
    ['patch', '1.27.4', 'start'],
    ['patch', '1.28.0', 'ask'],
    ['minor', '1.28.0', 'start'],
    ['minor', '2.0.0', 'ask'],
    ['major', '2.0.0', 'start'],
  ])('with update.allow=%s, nginx:%s makes an automatic container %s', (allow, tag, kind) => {
    expect(ask({ container: automatic({ 'update.allow': allow }), to: `nginx:${tag}` }).kind).toBe(kind);
  });

  test('says which jump is larger than allowed', () => {
    expect(ask({ container: automatic(), to: 'nginx:2.0.0' }).reason).toBe(
      'web: major update from 1.27.3 to 2.0.0. The update waits for approval: update.allow is minor, and this is a major update.',
    );
  });

  test('a database waits for approval unless it is let go', () => {
    const database = { ...automatic(), database: true };
    expect(ask({ container: database })).toMatchObject({
      kind: 'ask',
      reason: expect.stringContaining('is a database'),
    });
    const allowed = { ...automatic({ 'update.allow-database': 'true' }), database: true };
    expect(ask({ container: allowed }).kind).toBe('start');
  });
});

describe('an event that needs nothing', () => {
  const labelled = (labels: Record<string, string>): Container => aContainer({ labels });
  test.each<[string, string, Asked, string]>([
    ['not_watched', 'an unwatched container', { container: labelled({ 'diun.enable': 'false' }) }, 'diun.enable=true'],
    ['self', 'diun-pilot itself', { container: aContainer({ self: true }) }, 'docker compose up -d'],
    ['policy_ignore', 'policy ignore', { container: labelled({ 'update.policy': 'ignore' }) }, 'update.policy=ignore'],
    ['auto_remove', 'a container with --rm', { container: aContainer({ autoRemove: true }) }, '--rm'],
    [
      'digest_reference',
      'a pinned digest',
      { container: aContainer({ reference: `nginx@${digest('a')}` }) },
      'docker.io/library/nginx:TAG',
    ],
    [
      'digest_reference',
      'tag and digest',
      { container: aContainer({ reference: `nginx:1.27@${digest('a')}` }) },
      'nginx:1.27',
    ],
    ['digest_reference', 'a bare id', { container: aContainer({ reference: digest('0') }) }, 'NAME:TAG'],
    ['digest_reference', 'a short id', { container: aContainer({ reference: '000000000000' }) }, 'NAME:TAG'],
    ['different_repository', 'another repository', { to: 'bitnami/nginx:1.27.3' }, 'another repository'],
    ['invalid_reference', 'no reference', { to: 'NGINX' }, 'not an image reference'],
    ['already_runs', 'the digest that runs', { digest: digest('a') }, 'already runs nginx:1.27.3'],
    ['same_image', 'a new digest of the image that runs', { registry: SAME }, 'has for this platform'],
    ['same_image', 'the same under another tag', { to: 'nginx:1.27.4', registry: SAME }, 'that nginx:1.27.4 ('],
    [
      'already_runs',
      'the content that runs under another tag',
      { to: 'nginx:1.27.4', digest: digest('a') },
      'as nginx:1.27.3',
    ],
    [
      'other_tag_not_watched',
      'another tag with watch_repo=false',
      { container: labelled({ 'diun.watch_repo': 'false' }), to: 'nginx:1.27.4' },
      'watch_repo',
    ],
    [
      'tag_filtered',
      'a tag not included',
      { container: labelled({ 'diun.include_tags': '^1\\.26' }), to: 'nginx:1.27.4' },
      'include_tags',
    ],
    [
      'tag_filtered',
      'a tag excluded',
      { container: labelled({ 'diun.exclude_tags': '^1\\.28;4$' }), to: 'nginx:1.27.4' },
      'exclude_tags (4$)',
    ],
    [
      'tag_filtered',
      'an exclude pattern that is none',
      { container: labelled({ 'diun.exclude_tags': '(' }), to: 'nginx:1.27.4' },
      'exclude_tags',
    ],
    [
      'tag_filtered',
      'a pattern without end',
      { container: labelled({ 'diun.include_tags': '(1+)+$' }), to: `nginx:${'1'.repeat(60)}x` },
      'include_tags',
    ],
    ['not_newer', 'an older tag', { to: 'nginx:1.27.2' }, '1.27.2 is older than 1.27.3'],
    ['not_comparable', 'a floating tag', { to: 'nginx:stable' }, 'diun-pilot update web nginx:stable'],
    [
      'failed_before',
      'a digest that failed here',
      { refusal: { why: 'failed', at: AT } },
      'failed on web at 2026-11-23 12:00:00 UTC',
    ],
    ['declined_before', 'a digest that was declined', { refusal: { why: 'declined', at: AT } }, 'declined for web'],
  ])('%s: %s', (code, _situation, asked, reason) => {
    expect(ask(asked)).toEqual({ kind: 'ignore', code, reason: expect.stringContaining(reason) });
  });

  test('filters of other tags do not touch the container’s own tag', () => {
    const container = automatic({ 'diun.include_tags': '^9', 'diun.watch_repo': 'false' });
    expect(ask({ container }).kind).toBe('start');
  });

  test('a tag that the filters let through is judged by its version', () => {
    const container = automatic({ 'diun.include_tags': '(?i)^1\\.\\d+\\.\\d+$', 'diun.exclude_tags': 'perl' });
    expect(ask({ container, to: 'nginx:1.27.4' })).toMatchObject({ kind: 'start', jump: 'patch' });
  });
});

describe('updates that are open already', () => {
  const open = (id: string, status: 'awaiting_approval' | 'queued' | 'running', tag: string, by: string) => ({
    id,
    status,
    to: { reference: `nginx:${tag}`, digest: digest(by) },
    ...{ source: 'diun' as const, approval: null },
  });

  test.each(['awaiting_approval', 'queued', 'running'] as const)(
    'the same digest, %s, is not opened twice',
    (status) => {
      expect(ask({ open: [open('u1', status, '1.27.3', 'b')] })).toMatchObject({
        kind: 'ignore',
        code: 'already_open',
      });
    },
  );

  test('what waits or is queued for another digest is superseded, what runs never is', () => {
    const all = [
      open('u1', 'awaiting_approval', '1.27.3', 'c'),
      open('u2', 'queued', '1.27.4', 'd'),
      open('u3', 'running', '1.27.3', 'e'),
    ];
    expect(ask({ to: 'nginx:1.27.5', open: all })).toMatchObject({ kind: 'ask', supersedes: ['u1', 'u2'] });
  });

  test('a higher version that waits stays, and the lower one is not offered', () => {
    const decision = ask({ to: 'nginx:1.27.4', open: [open('u1', 'awaiting_approval', '1.28.0', 'c')] });
    expect(decision).toMatchObject({ kind: 'ignore', code: 'newer_waits' });
    expect(decision.reason).toContain('Approve or decline');
  });

  test('what goes by itself does so beside a higher version that waits, and not beside one that is on its way', () => {
    const beside = (status: 'awaiting_approval' | 'queued' | 'running'): Decision =>
      ask({ container: automatic(), to: 'nginx:1.27.4', open: [open('u1', status, '2.0.0', 'c')] });
    expect(beside('awaiting_approval')).toMatchObject({ kind: 'start', jump: 'patch', supersedes: [] });
    expect(beside('queued')).toMatchObject({ kind: 'ignore', code: 'newer_waits' });
    expect(beside('running')).toMatchObject({ kind: 'ignore', code: 'newer_waits' });
  });

  test('what must be asked for leaves alone what is queued and goes by itself, and supersedes what it replaces', () => {
    const all = [open('u1', 'queued', '1.27.4', 'c'), open('u2', 'awaiting_approval', '2.0.0', 'd')];
    expect(ask({ container: automatic(), to: 'nginx:2.0.1', open: all })).toMatchObject({
      kind: 'ask',
      supersedes: ['u2'],
    });
    expect(ask({ container: automatic(), to: 'nginx:1.27.5', open: all })).toMatchObject({
      kind: 'start',
      supersedes: ['u1'],
    });
  });

  const approval = { status: 'approved' as const, expiresAt: AT, decidedAt: AT };
  test.each([
    ['approved', { approval }],
    ['requested', { source: 'operator' as const }],
  ])('what must be asked for leaves alone what the operator %s, and supersedes it where its tag moved', (_, by) => {
    const all = [{ ...open('u1', 'queued', '1.27.4', 'c'), ...by }];
    expect(ask({ to: 'nginx:1.28.0', open: all })).toMatchObject({ kind: 'ask', supersedes: [] });
    expect(ask({ to: 'nginx:1.27.4', open: all })).toMatchObject({ kind: 'ask', supersedes: ['u1'] });
    expect(ask({ container: automatic(), to: 'nginx:1.28.0', open: all })).toMatchObject({
      ...{ kind: 'start', supersedes: ['u1'] },
    });
  });

  test('the operator starts what waits for approval, but not what runs or is queued already', () => {
    const start = (status: 'awaiting_approval' | 'queued' | 'running'): Decision =>
      ask({ source: 'operator', open: [open('u1', status, '1.27.3', 'b')] });
    expect(start('awaiting_approval')).toMatchObject({ kind: 'start', supersedes: ['u1'] });
    expect(start('queued')).toMatchObject({ kind: 'ignore', code: 'already_open' });
    expect(start('running')).toMatchObject({ kind: 'ignore', code: 'already_open' });
  });

  test('the operator starts what names another tag of the same digest, and supersedes it where it is queued', () => {
    const all = [open('u1', 'awaiting_approval', '1.26.0', 'b'), open('u2', 'queued', '1.28.0', 'b')];
    expect(ask({ source: 'operator', open: all })).toMatchObject({ kind: 'start', supersedes: ['u1', 'u2'] });
    expect(ask({ open: all })).toMatchObject({ kind: 'ignore', code: 'already_open' });
  });

  test('the operator may take a lower version: a higher one goes on waiting, but does not run after it', () => {
    const all = [open('u1', 'awaiting_approval', '2.0.0', 'c'), open('u2', 'queued', '1.28.0', 'd')];
    expect(ask({ source: 'operator', to: 'nginx:1.27.4', open: all })).toMatchObject({
      kind: 'start',
      supersedes: ['u2'],
    });
  });
});

describe('the operator', () => {
  const operator = (asked: Asked): Decision => ask({ source: 'operator', ...asked });

  test.each<[string, Asked, string]>([
    ['a manual policy', {}, 'digest'],
    ['a database', { container: aContainer({ database: true }) }, 'digest'],
    ['a jump that is not allowed', { container: automatic({ 'update.allow': 'digest' }), to: 'nginx:2.0.0' }, 'major'],
    ['a digest that failed', { refusal: { why: 'failed', at: AT } }, 'digest'],
    ['a digest that was declined', { refusal: { why: 'declined', at: AT } }, 'digest'],
    ['a downgrade', { to: 'nginx:1.26.0' }, 'downgrade'],
    ['tags that cannot be compared', { to: 'nginx:stable' }, 'other'],
    [
      'a filter of tags',
      { container: aContainer({ labels: { 'diun.exclude_tags': '.' } }), to: 'nginx:1.27.4' },
      'patch',
    ],
    ['the same content under another tag', { to: 'nginx:1.27.4', digest: digest('a') }, 'patch'],
    ['the same image under another tag', { to: 'nginx:1.27.4', registry: SAME }, 'patch'],
    ['a digest without a tag, which means the own tag', { to: `nginx@${NEW}` }, 'digest'],
  ])('is not held up by %s', (_what, asked, jump) => {
    expect(operator(asked)).toMatchObject({
      kind: 'start',
      jump,
      reason: expect.stringContaining('The operator requested'),
    });
  });

  test.each<[string, Asked]>([
    ['not_watched', { container: aContainer({ read: { watched: false } }) }],
    ['self', { container: aContainer({ self: true }) }],
    ['policy_ignore', { container: aContainer({ read: { policy: 'ignore' } }) }],
    ['auto_remove', { container: aContainer({ autoRemove: true }) }],
    ['digest_reference', { container: aContainer({ reference: digest('0') }) }],
    ['different_repository', { to: 'gitea/gitea:1.24' }],
    ['already_runs', { digest: digest('a') }],
    ['same_image', { registry: SAME }],
  ])('is refused with %s like everybody else', (code, asked) => {
    expect(operator(asked)).toMatchObject({ kind: 'ignore', code });
  });
});

describe('a new PostgreSQL major', () => {
  const db = aContainer({
    ...{ name: 'db', reference: 'postgres:15', application: 'postgres', database: true },
    repoDigests: [`postgres@${digest('a')}`],
    labels: { 'update.policy': 'automatic', 'update.allow': 'major', 'update.allow-database': 'true' },
  });
  const registry = { refusal: null, newMajor: { from: '15', to: '17', change: null } };

  test.each(['diun', 'operator'] as const)('always asks, also where everything else is automatic (%s)', (source) => {
    const decision = ask({ container: db, to: 'docker.io/library/postgres:17', source, registry });
    expect(decision).toMatchObject({
      kind: 'ask',
      reason:
        'db: major update from 15 to 17. The update waits for approval: a new PostgreSQL major always needs approval, and a passed rehearsal first (PostgreSQL 15 to 17).',
    });
  });

  test('is also known where the tag does not tell it', () => {
    const latest = { ...db, reference: 'postgres:latest' };
    expect(ask({ container: latest, to: 'docker.io/library/postgres:latest', registry })).toMatchObject({
      kind: 'ask',
      jump: 'digest',
    });
  });

  test('by the tag alone it asks too, and a minor does not', () => {
    expect(ask({ container: db, to: 'docker.io/library/postgres:17' }).kind).toBe('ask');
    expect(ask({ container: { ...db, reference: 'postgres:15.6' }, to: 'docker.io/library/postgres:15.7' }).kind).toBe(
      'start',
    );
  });
});
