import type { Container } from '../../../../src/domain/container';
import { planUpdate, type Planned } from '../../../../src/domain/plan/plan-update';
import type { ComposeChange } from '../../../../src/domain/plan/postgres-major';
import { aContainer, digest } from '../../../support/container-builder';

const plan = (fields: Partial<Planned> = {}): ReturnType<typeof planUpdate> =>
  planUpdate({
    container: aContainer(),
    target: { reference: 'nginx:1.27.3', digest: digest('b') },
    jump: 'digest',
    set: [],
    holdsData: (fields.container?.labels.backup ?? null) !== null,
    releaseNotes: null,
    ...fields,
  });

const gitea = aContainer({
  name: 'gitea',
  reference: 'gitea/gitea:1.24.5',
  labels: { 'backup.kind': 'files', 'backup.paths': '/data,/etc/gitea' },
});
const db = aContainer({
  name: 'db',
  reference: 'postgres:15.6',
  database: true,
  labels: { 'backup.kind': 'postgres', 'update.probe': 'postgres' },
});

test('says from what to what, by digest', () => {
  const repoDigests = [`mirror.example/nginx@${digest('d')}`, `nginx@${digest('a')}`];
  expect(plan({ container: aContainer({ repoDigests }), releaseNotes: 'https://nginx.org' })).toMatchObject({
    container: 'web',
    project: 'site',
    service: 'web',
    from: { reference: 'nginx:1.27.3', digest: digest('a') },
    to: { reference: 'nginx:1.27.3', digest: digest('b') },
    jump: 'digest',
    releaseNotes: 'https://nginx.org',
  });
});

test('an image that was built here has no digest', () => {
  expect(plan({ container: aContainer({ repoDigests: [] }) }).from.digest).toBeNull();
});

test('names what is backed up, one sentence a member', () => {
  expect(plan({ set: [db, gitea, aContainer()] }).backup).toEqual([
    'db: every PostgreSQL database, with the roles.',
    'gitea: the files under /data and /etc/gitea.',
  ]);
});

test('the course begins with the backup, and warns where there is none', () => {
  expect(plan({ set: [db] }).course[0]).toContain('backed up');
  const without = plan();
  expect(without.course[0]).toContain(digest('b'));
  expect(without.risks.at(-1)).toContain('no container of the project site has the label backup.kind');
  expect(plan({ container: aContainer({ project: null }) }).risks.at(-1)).toContain(
    'no container of web has the label backup.kind',
  );
});

test('says why a container without backup.kind holds data: it can migrate the database that it depends on', () => {
  const app = aContainer({ name: 'app', dependsOn: ['db'] });
  const { course, holdsData, restores } = plan({ container: app, set: [db], holdsData: true, stopped: [app] });
  expect(course.slice(0, 2)).toEqual([
    'app counts as holding data (backup.quiesce=never opts out): it depends on a database that is backed up, and its new version can migrate that database.',
    'For the backup, app is stopped, so that nothing is written after it.',
  ]);
  expect([holdsData, restores]).toEqual([true, true]);
});

test('says who is restarted or reloaded afterwards, but for those that are stopped for the backup', () => {
  const [front, worker, runner] = ['front', 'worker', 'runner'].map((name) => aContainer({ name, id: name }));
  const restarted = [worker, { ...front, nginx: true }, runner] as Container[];
  const { course } = plan({ container: gitea, set: [db, gitea], stopped: [gitea, runner] as Container[], restarted });
  expect(course.filter((sentence) => sentence.startsWith('Then'))).toEqual([
    'Then worker is restarted and checked, because it depends on gitea with restart: true.',
    'Then front is reloaded and checked, because it depends on gitea with restart: true.',
  ]);
});

test('says who is stopped for the backup, until when, and that this is when its users miss it', () => {
  const runner = aContainer({ name: 'runner' });
  const both = plan({ container: gitea, set: [db, gitea], stopped: [gitea, runner] });
  expect(both.course[0]).toBe(
    'For the backup, gitea and runner are stopped, so that nothing is written after it. runner is started again once gitea is healthy.',
  );
  expect(both.risks[0]).toMatch(
    /^Downtime: gitea, runner are offline from the start of the backup.*until the new gitea is healthy/,
  );
  expect(plan({ container: gitea, set: [gitea], stopped: [gitea] }).course[0]).toBe(
    'For the backup, gitea is stopped, so that nothing is written after it.',
  );
  expect(plan({ container: db, set: [db, gitea], stopped: [gitea] }).course[0]).toBe(
    'For the backup, gitea is stopped, so that nothing is written after it. gitea is started again once db is healthy.',
  );
});

test('a handover promises no downtime and another way back', () => {
  const container = aContainer({ labels: { 'update.strategy': 'handover' } });
  expect(plan({ container }).risks[0]).toContain('none is expected');
  expect(plan({ container }).course.join(' ')).toContain('next to the old one');
  expect(plan().course.join(' ')).toContain('the unchanged old container is started again');
});

test.each([
  [{}, 'its HEALTHCHECK; without one, that it runs without a restart), for up to 2 minutes'],
  [{ 'update.probe': 'nginx', 'update.probe.timeout': '90s' }, 'the nginx probe), for up to 90 seconds'],
  [{ 'update.probe': 'http://:80/ok' }, 'http on port 80, /ok'],
  [{ 'update.probe': 'tcp://:80' }, 'tcp port 80'],
  [{ 'update.probe': 'gitea' }, 'the gitea probe), for up to 10 minutes'],
])('says how health is asked: %j', (labels, words) => {
  expect(plan({ container: aContainer({ labels }) }).course.join(' ')).toContain(words);
});

test('the arguments of an exec probe, which may hold a password, are in no plan', () => {
  const container = aContainer({ labels: { 'update.probe': 'exec:redis-cli -a hunter2 ping' } });
  expect(JSON.stringify(plan({ container }))).not.toContain('hunter2');
  expect(plan({ container }).course.join(' ')).toContain('the command redis-cli');
});

describe('risks', () => {
  const risks = (container: Container, jump: Planned['jump'] = 'digest'): string =>
    plan({ container, jump, set: [db] }).risks.join('\n');

  test('of PostgreSQL are those that its two tags tell', () => {
    const to = (reference: string): string =>
      plan({ container: db, target: { reference, digest: digest('b') } }).risks.join('\n');
    expect(to('postgres:15.7')).toContain('collation');
    expect(to('postgres:15.7')).not.toContain('data directory');
    expect(to('postgres:16.1')).toContain('data directory is of PostgreSQL 15, and PostgreSQL 16 never starts on it');
  });

  test('of Gitea are its migrations', () => {
    expect(risks(gitea)).toContain('refuses the newer schema');
    expect(risks(gitea)).toContain('minutes');
  });

  test('of nginx are none to the data', () => {
    expect(risks(aContainer())).toContain('a rollback to the old image is complete');
  });

  test('of a database that only its environment tells are those of a database', () => {
    expect(risks(aContainer({ reference: 'acme/store:1', repoDigests: [], database: true }))).toContain(
      'convert its files',
    );
  });

  test('of an image that nobody knows are said to be unknown', () => {
    expect(risks(aContainer({ reference: 'acme/app:1', repoDigests: [] }))).toContain(
      'may change its data when it starts',
    );
  });

  test.each([
    ['major', 'release notes'],
    ['downgrade', 'goes back to an older version'],
    ['other', 'cannot be compared'],
  ] as const)('of a %s are said', (jump, words) => {
    expect(risks(aContainer(), jump)).toContain(words);
  });
});

describe('what the operator must still do', () => {
  const next = { reference: 'nginx:1.27.4', digest: digest('b') };

  test('is nothing for the same tag', () => {
    expect(plan().followUp).toBeNull();
    expect(
      plan({ container: aContainer({ reference: 'nginx' }), target: { ...next, reference: 'nginx:latest' } }).followUp,
    ).toBeNull();
  });

  test('is the new tag, in the compose file or the .env that it reads', () => {
    expect(plan({ target: next, jump: 'patch' }).followUp).toBe(
      'In /srv/site/docker-compose.yml or the .env file read with it, change the image of the service web from nginx:1.27.3 to nginx:1.27.4. If the folder is mounted writable, diun-pilot does this and reports it. Until then, "docker compose up -d" goes back to nginx:1.27.3.',
    );
  });

  test('is named without Compose, too', () => {
    const container = aContainer({ composeFiles: null, service: null });
    expect(plan({ container, target: next, jump: 'patch' }).followUp).toContain(
      'replace nginx:1.27.3 with nginx:1.27.4',
    );
  });
});

test('its warnings are those of its risks that must be read before the decision', () => {
  expect(plan().warnings).toBeUndefined();
  const unhealthy = { of: 'probe', detail: 'port 80 refuses connections' } as const;
  const notes = ['web has 1 file outside of its volumes.'];
  const warned = plan({ unhealthy, carryOver: { refusals: [], notes } });
  expect(warned.warnings).toEqual([notes[0], expect.stringContaining('failed its health check')]);
  expect(warned.risks).toEqual(expect.arrayContaining(warned.warnings ?? []));
  const major = plan({ container: db, target: { reference: 'postgres:16.1', digest: digest('b') }, jump: 'major' });
  expect(major.warnings).toEqual([expect.stringContaining('PostgreSQL 16 never starts on it')]);
  expect(major.risks).toEqual(expect.arrayContaining(major.warnings ?? []));
});

describe('a new PostgreSQL major', () => {
  const major = (change: ComposeChange | null = null): ReturnType<typeof planUpdate> =>
    plan({
      ...{ container: { ...db, application: 'postgres' }, set: [db, gitea], stopped: [gitea], jump: 'major' },
      target: { reference: 'postgres:17', digest: digest('b') },
      newMajor: { from: '15', to: '17', change },
    });

  test('the course says how the data changes places, and the way back', () => {
    const { course, newMajor } = major();
    expect(newMajor).toEqual({ from: '15', to: '17', change: null });
    const text = course.join('\n');
    expect(text).toContain('creates an empty data directory of PostgreSQL 17 in the same volume');
    expect(text).toContain('Roles and databases are loaded from the backup, and ANALYZE is run.');
    expect(text).toContain('A difference is a failure.');
    expect(course.at(-1)).toContain(
      'the old data directory is put back, and the unchanged old container is started again',
    );
    expect(text).not.toContain('must be that of the new image');
  });

  test('the risks say who is offline, what is lost and how much room it takes', () => {
    const { risks, warnings } = major();
    expect(risks[0]).toMatch(/^Downtime: db, gitea, from the start of the backup until every database is loaded/);
    expect(risks.join('\n')).toContain('between the backup and the end of the load is lost');
    expect(risks.join('\n')).toContain('needs no REINDEX');
    expect(risks.join('\n')).toContain('update.soak is ignored');
    expect(risks.join('\n')).toContain('the old data directory lacks what they wrote since');
    expect(risks.join('\n')).not.toMatch(/will stop before anything is changed|collation version mismatch/);
    expect(warnings).toBeUndefined();
  });

  test('what must change in the compose file first is a warning', () => {
    const { warnings } = major({ why: 'It is elsewhere.', add: null, service: 'db' });
    expect(warnings).toEqual(['It is elsewhere.']);
  });
});
