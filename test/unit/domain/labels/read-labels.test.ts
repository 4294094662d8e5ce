import fc from 'fast-check';
import { ownLabels } from '../../../../src/domain/labels/own-labels';
import { readLabels } from '../../../../src/domain/labels/read-labels';

describe('the operator’s labels', () => {
  test('without any, a container is left alone, and everything else has the default of the contract', () => {
    expect(readLabels({})).toEqual({
      watched: false,
      policy: 'manual',
      allow: 'minor',
      strategy: 'recreate',
      probe: { kind: 'docker' },
      probeTimeoutMs: 120_000,
      probeTimeoutIsSet: false,
      allowDatabase: false,
      backup: null,
      quiesce: 'auto',
      rehearse: 'auto',
      renewalRole: null,
      watchRepo: undefined,
      includeTags: [],
      excludeTags: [],
      problems: [],
    });
  });

  test('are read in full', () => {
    const labels = readLabels({
      'diun.enable': 'true',
      'diun.watch_repo': 'true',
      'diun.include_tags': '^1\\.27\\.\\d+$;^1\\.28\\.\\d+$',
      'diun.exclude_tags': '-perl$',
      'update.policy': 'automatic',
      'update.allow': 'patch',
      'update.strategy': 'handover',
      'update.probe': 'http://:8080/healthz?full=1',
      'update.probe.timeout': '90s',
      'update.allow-database': 'true',
      'backup.kind': 'files',
      'backup.paths': '/data/, /etc/gitea,/data',
      'backup.quiesce': 'never',
      'update.rehearse': 'always',
      'renewal.role': 'server',
      'com.example.other': 'x',
    });
    expect(labels).toEqual({
      watched: true,
      policy: 'automatic',
      allow: 'patch',
      strategy: 'handover',
      probe: { kind: 'http', port: 8080, path: '/healthz?full=1' },
      probeTimeoutMs: 90_000,
      probeTimeoutIsSet: true,
      allowDatabase: true,
      backup: { kind: 'files', paths: ['/data', '/etc/gitea'] },
      quiesce: 'never',
      rehearse: 'always',
      renewalRole: 'server',
      watchRepo: true,
      includeTags: ['^1\\.27\\.\\d+$', '^1\\.28\\.\\d+$'],
      excludeTags: ['-perl$'],
      problems: [],
    });
  });

  test('Gitea has ten minutes, since its migrations come before its first answer', () => {
    expect(readLabels({ 'update.probe': 'gitea' }).probeTimeoutMs).toBe(600_000);
    expect(readLabels({ 'update.probe': 'gitea', 'update.probe.timeout': '1h30m' }).probeTimeoutMs).toBe(5_400_000);
  });

  test.each([
    ['nginx', { kind: 'nginx' }],
    ['postgres', { kind: 'postgres' }],
    ['http://:80', { kind: 'http', port: 80, path: '/' }],
    ['tcp://:5432', { kind: 'tcp', port: 5432 }],
    ['exec:true', { kind: 'exec', command: ['true'] }],
    [
      'exec:sh -c \'curl -f "http://x" | grep ok\'',
      { kind: 'exec', command: ['sh', '-c', 'curl -f "http://x" | grep ok'] },
    ],
    ['exec:a "b \\" c" d\\ e ""', { kind: 'exec', command: ['a', 'b " c', 'd e', ''] }],
  ])('reads the probe %s', (text, probe) => {
    expect(readLabels({ 'update.probe': text })).toMatchObject({ probe, problems: [] });
  });
});

describe('a label that nobody can obey', () => {
  const automatic = { 'diun.enable': 'true', 'update.policy': 'automatic' };

  test.each([
    ['update.policy', 'automatc', 'policy', 'manual'],
    ['update.policy', 'AUTOMATIC', 'policy', 'manual'],
    ['update.policy', '', 'policy', 'manual'],
    ['update.allow', 'majr', 'allow', 'digest'],
    ['update.strategy', 'blue-green', 'strategy', 'recreate'],
    ['update.probe.timeout', '5 minutes', 'probeTimeoutMs', 120_000],
    ['update.probe.timeout', '0s', 'probeTimeoutMs', 120_000],
    ['update.probe.timeout', '48h', 'probeTimeoutMs', 120_000],
    ['update.allow-database', 'yes', 'allowDatabase', false],
    ['renewal.role', 'sever', 'renewalRole', null],
    ['backup.quiesce', 'nevr', 'quiesce', 'auto'],
    ['diun.enable', 'yes', 'watched', false],
    ['diun.watch_repo', 'on', 'watchRepo', false],
  ])('%s=%j is a problem, and %s is %j', (label, value, field, expected) => {
    const labels = readLabels({ [label]: value });
    expect(labels).toHaveProperty(field, expected);
    expect(labels.problems).toEqual([{ label, value, message: expect.stringMatching(/^must be .* taken as .*\.$/) }]);
  });

  test.each([
    ['update.probe', 'ngnix', 'must be nginx'],
    ['update.probe', 'http://localhost:80/', 'without a host'],
    ['update.probe', 'http://:99999/', 'http://:8080'],
    ['update.probe', 'tcp://:0', 'tcp://:5432'],
    ['update.probe', 'exec:sh -c "oops', 'not closed'],
    ['update.probe', 'exec:  ', 'no command'],
    ['backup.kind', 'postgress', 'must be postgres or files'],
    ['backup.kind', 'files', 'needs backup.paths'],
    ['backup.paths', '/data', 'needs backup.kind=files'],
    ['update.polcy', 'ignore', 'did you mean update.policy?'],
    ['update.alow', 'patch', 'did you mean update.allow?'],
    ['backup.path', '/data', 'did you mean backup.paths?'],
  ])('%s=%s keeps automatic from starting, because a guard that was wanted is missing', (label, value, message) => {
    const labels = readLabels({ ...automatic, [label]: value });
    expect(labels.policy).toBe('manual');
    expect(labels.problems).toEqual([{ label, value, message: expect.stringContaining(message) }]);
    expect(labels.problems[0]?.message).toContain('needs approval');
  });

  test('never makes a container that is to be ignored one that is asked about', () => {
    expect(readLabels({ 'update.policy': 'ignore', 'update.polcy': 'x' }).policy).toBe('ignore');
  });

  test.each(['data', '/', '/data/../etc', './data'])('the path %s is not archived, the others are', (path) => {
    const labels = readLabels({ ...automatic, 'backup.kind': 'files', 'backup.paths': `/ok,${path}` });
    expect(labels.backup).toEqual({ kind: 'files', paths: ['/ok'] });
    expect(labels.problems[0]?.message).toContain(`not backed up: ${path}`);
    expect(labels.policy).toBe('manual');
  });

  test('an invalid pattern is a problem, and stays to keep other tags out', () => {
    const labels = readLabels({ 'diun.include_tags': '[;^1' });
    expect(labels.includeTags).toEqual(['[', '^1']);
    expect(labels.problems).toEqual([
      { label: 'diun.include_tags', value: '[;^1', message: expect.stringContaining('not a regular expression') },
    ]);
  });

  test('a pattern that JavaScript reads in another way than Go is a problem that names the part', () => {
    const { problems } = readLabels({ 'diun.exclude_tags': '^2\\.[[:digit:]]*[13579]\\.' });
    expect(problems).toMatchObject([{ label: 'diun.exclude_tags', message: expect.stringContaining('[:digit:]') }]);
  });

  test('an unknown renewal label is a problem, and no reason to hold updates back', () => {
    const labels = readLabels({ ...automatic, 'renewal.rol': 'server' });
    expect(labels.problems.map(({ label }) => label)).toEqual(['renewal.rol']);
    expect(labels.policy).toBe('automatic');
  });

  test('never throws, whatever it holds, and only a container that says so is automatic', () => {
    const name = fc.constantFrom(
      'diun.enable',
      'update.policy',
      'update.probe',
      'update.probe.timeout',
      'backup.kind',
      'backup.paths',
      'diun.include_tags',
      '__proto__',
      'update.x',
    );
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('true', 'automatic', 'exec:"', '9'.repeat(400) + 'h', '(((', '/a,,/b'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, value), (own) => {
        const { policy, probeTimeoutMs } = readLabels(own);
        const saysSo = own['update.policy']?.trim() === 'automatic';
        expect(policy !== 'automatic' || saysSo).toBe(true);
        expect(probeTimeoutMs).toBeGreaterThan(0);
      }),
    );
  });
});

describe('labels that come from the image', () => {
  test('set nothing: an image cannot promote itself', () => {
    const image = { 'diun.enable': 'true', 'update.policy': 'automatic', maintainer: 'a stranger' };
    expect(ownLabels({ ...image, 'update.allow': 'patch' }, image)).toEqual({ 'update.allow': 'patch' });
  });

  test('that the operator says otherwise are the operator’s', () => {
    expect(ownLabels({ 'update.policy': 'manual' }, { 'update.policy': 'automatic' })).toEqual({
      'update.policy': 'manual',
    });
  });

  test('open no container to a backup, which runs commands in it', () => {
    const backup = { 'backup.kind': 'postgres', 'backup.paths': '/data' };
    expect(ownLabels(backup, backup)).toEqual({});
    expect(ownLabels({ ...backup, 'backup.kind': 'files' }, backup)).toEqual({ 'backup.kind': 'files' });
  });

  test('cannot take the operator’s limit away: where both say the same narrow one, it holds', () => {
    const narrow = { 'update.allow': 'patch' };
    expect(ownLabels(narrow, narrow)).toEqual(narrow);
    expect(ownLabels({ 'backup.quiesce': 'never' }, { 'backup.quiesce': 'never' })).toEqual({});
    const wide = { 'update.allow': 'major' };
    expect(ownLabels(wide, wide)).toEqual({});
  });

  test('may be missing altogether', () => {
    expect(ownLabels(null, undefined)).toEqual({});
    expect(ownLabels({ a: '1' }, null)).toEqual({ a: '1' });
  });
});

describe('release notes', () => {
  const read = (labels: Record<string, string>) => readLabels({ 'update.policy': 'automatic', ...labels });

  test('a source and what to ask about', () => {
    const labels = read({ 'update.notes': ' https://github.com/a/b ', 'update.ask-on': 'security, breaking' });
    expect(labels).toMatchObject({
      notes: 'https://github.com/a/b',
      askOn: ['breaking', 'security'],
      policy: 'automatic',
    });
    expect(labels.problems).toEqual([]);
  });

  test('an address that cannot be read is reported, and no other source takes its place', () => {
    const labels = read({ 'update.notes': 'javascript:alert(1)' });
    expect(labels).toMatchObject({ notes: null, policy: 'automatic' });
    expect(labels.problems).toMatchObject([
      { label: 'update.notes', message: expect.stringMatching(/no notes are read/) },
    ]);
  });

  test.each(['braking', 'breaking,all', '', 'breaking;security'])(
    'a list with an unknown word (%j) makes it manual',
    (list) => {
      const labels = read({ 'update.ask-on': list });
      expect(labels.policy).toBe('manual');
      expect(labels.problems).toMatchObject([{ label: 'update.ask-on' }]);
    },
  );
});

describe('update.soak', () => {
  test.each([
    ['30m', 1_800_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['0', undefined],
  ])('%s is read', (text, soakMs) => {
    expect(readLabels({ 'update.soak': text })).toMatchObject(
      soakMs === undefined ? { problems: [] } : { soakMs, problems: [] },
    );
  });

  test.each(['30', '', 'soon', '-1m', '31d', '30 m', '0s'])(
    '%j is reported, and nothing starts automatically without the guard that was meant',
    (text) => {
      const labels = readLabels({ 'update.policy': 'automatic', 'update.soak': text });
      expect(labels).toMatchObject({ policy: 'manual', problems: [{ label: 'update.soak' }] });
      expect(labels.problems[0]?.message).toMatch(/a duration with a unit such as 30m or 12h.*needs approval/);
      expect(labels.soakMs).toBeUndefined();
    },
  );
});
