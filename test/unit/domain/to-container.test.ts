import type { ContainerInspect, ImageInspect } from '../../../src/domain/engine-inspect';
import { toContainer } from '../../../src/domain/to-container';
import { digest } from '../../support/container-builder';
import { anInspect } from '../../support/inspect-builder';

const ID = 'f00d'.repeat(16);

function inspect(config: Partial<ContainerInspect['Config']> = {}, autoRemove = false): ContainerInspect {
  return anInspect({ Id: ID, Name: '/site-web-1', config, host: { AutoRemove: autoRemove } });
}

function image(config: ImageInspect['Config'] = {}, repoDigests = [`nginx@${digest('a')}`]): ImageInspect {
  return { Id: digest('1'), RepoTags: ['nginx:1.27'], RepoDigests: repoDigests, Config: config };
}

test('a container is what its inspect says, in our words', () => {
  const labels = {
    'diun.enable': 'true',
    'update.policy': 'automatic',
    'com.docker.compose.project': 'site',
    'com.docker.compose.service': 'web',
    'com.docker.compose.depends_on': 'db:service_healthy:true,cache:service_started:false',
    'com.docker.compose.project.config_files': '/srv/site/compose.yml,/srv/site/override.yml',
    'com.docker.compose.project.working_dir': '/srv/site',
  };
  expect(toContainer(inspect({ Labels: labels }), image(), null)).toMatchObject({
    id: ID,
    name: 'site-web-1',
    reference: 'nginx:1.27',
    imageId: digest('1'),
    repoDigests: [`nginx@${digest('a')}`],
    project: 'site',
    service: 'web',
    dependsOn: ['db', 'cache'],
    composeFiles: '/srv/site/compose.yml, /srv/site/override.yml',
    labels: { watched: true, policy: 'automatic', problems: [] },
    running: true,
    autoRemove: false,
    database: false,
    self: false,
    pilot: null,
  });
});

test('a compose file named relative to the project’s folder is named in full', () => {
  const labels = {
    'com.docker.compose.project.config_files': 'docker-compose.yml',
    'com.docker.compose.project.working_dir': '/srv/site',
  };
  expect(toContainer(inspect({ Labels: labels }), image(), null).composeFiles).toBe('/srv/site/docker-compose.yml');
});

test('a policy in the image has no effect, and the operator is told why', () => {
  const labels = { 'diun.enable': 'true', 'update.policy': 'automatic' };
  const container = toContainer(inspect({ Labels: labels }), image({ Labels: labels }), null);
  expect(container.labels).toMatchObject({ watched: false, policy: 'manual' });
  expect(container.labels.problems.map(({ label }) => label)).toEqual(['diun.enable', 'update.policy']);
  expect(container.labels.problems[0]?.message).toContain('a label of the image');
});

test('a backup label of the image opens nothing, is reported, and makes nothing automatic', () => {
  const labels = { 'backup.kind': 'postgres' };
  const own = { ...labels, 'diun.enable': 'true', 'update.policy': 'automatic' };
  const container = toContainer(inspect({ Labels: own }), image({ Labels: labels }), null);
  expect(container.labels).toMatchObject({ backup: null, policy: 'manual' });
  expect(container.labels.problems).toMatchObject([
    { label: 'backup.kind', message: expect.stringContaining('opens') },
  ]);
});

test('a rule for signatures that the image says too is not in force, so nothing is automatic', () => {
  const labels = { 'update.verify': 'key:/keys/cosign.pub' };
  const own = { ...labels, 'diun.enable': 'true', 'update.policy': 'automatic' };
  const container = toContainer(inspect({ Labels: own }), image({ Labels: labels }), null);
  expect(container.labels).toMatchObject({ watched: true, policy: 'manual' });
  expect(container.labels.verify).toBeUndefined();
  expect(container.labels.problems).toMatchObject([
    { label: 'update.verify', message: expect.stringContaining('every update of this container waits for approval') },
  ]);
  const spelt = { ...own, 'update.verify': 'key:/keys/cosign.pub ' };
  expect(toContainer(inspect({ Labels: spelt }), image({ Labels: labels }), null).labels).toMatchObject({
    policy: 'automatic',
    verify: { kind: 'key' },
    problems: [],
  });
});

test.each([
  ['update.window', 'Sat 02:00-05:00'],
  ['update.min-age', '3d'],
  ['update.ask-on', 'breaking'],
  ['update.notes', 'https://github.com/nginx/nginx'],
  ['update.soak', '30m'],
  ['update.probe', 'tcp://:80'],
  ['update.probe.timeout', '5m'],
  ['update.rehearse', 'always'],
  ['diun.include_tags', '^1'],
  ['diun.exclude_tags', '^2'],
  ['diun.watch_repo', 'false'],
])('the guard %s that the image says too is not in force, so nothing is automatic', (label, value) => {
  const own = { 'diun.enable': 'true', 'update.policy': 'automatic', [label]: value };
  const of = (inherited: Record<string, string>) =>
    toContainer(inspect({ Labels: own }), image({ Labels: inherited }), null).labels;
  expect(of({}).policy).toBe('automatic');
  expect(of({ [label]: 'another' }).policy).toBe('automatic');
  expect(of({ [label]: value })).toMatchObject({
    policy: 'manual',
    problems: [{ label, message: expect.stringContaining('every update of this container waits for approval') }],
  });
});

test('a label of the image that holds nothing back leaves the policy as it is', () => {
  const inherited = { 'diun.watch_repo': 'true', 'update.keep-images': '1', 'update.allow': 'major' };
  const own = { ...inherited, 'diun.enable': 'true', 'update.policy': 'automatic' };
  expect(toContainer(inspect({ Labels: own }), image({ Labels: inherited }), null).labels.policy).toBe('automatic');
});

test('what docker compose run created has the labels of its service, and none of them is an order', () => {
  const labels = { 'diun.enable': 'true', 'backup.kind': 'postgres', 'renewal.role': 'certbot', 'update.window': 'x' };
  const of = (oneoff: string) =>
    toContainer(inspect({ Labels: { ...labels, 'com.docker.compose.oneoff': oneoff } }), image(), null);
  const ignored = { watched: false, backup: null, renewalRole: null, problems: [] };
  expect(of('True')).toMatchObject({ composeRun: true, labels: ignored });
  expect(of('False')).toMatchObject({ composeRun: false, labels: { watched: true, backup: { kind: 'postgres' } } });
});

test('the project of an image that Compose built is still the container’s project', () => {
  const labels = { 'com.docker.compose.project': 'site', 'com.docker.compose.service': 'app' };
  expect(toContainer(inspect({ Labels: labels }), image({ Labels: labels }), null)).toMatchObject({
    project: 'site',
    service: 'app',
  });
});

test('nothing of Compose, nothing of a registry and no labels are fine', () => {
  const built: ImageInspect = { Id: digest('1'), RepoTags: null, RepoDigests: null, Config: null };
  expect(toContainer(inspect({ Labels: null }), built, null)).toMatchObject({
    project: null,
    service: null,
    composeFiles: null,
    dependsOn: [],
    repoDigests: [],
  });
});

test.each([
  [ID, true],
  [ID.slice(0, 12), true],
  ['f00d', false],
  ['a'.repeat(64), false],
  [null, false],
])('with the own id %s, being itself is %s', (selfId, self) => {
  expect(toContainer(inspect(), image(), selfId).self).toBe(self);
});

test('a container started with --rm is known as one', () => {
  expect(toContainer(inspect({}, true), image(), null).autoRemove).toBe(true);
});

describe('a database', () => {
  test.each([
    ['postgres:15', true],
    ['bitnami/postgresql:16', true],
    ['127.0.0.1:5000/lab-postgres:15', true],
    ['timescale/timescaledb-ha:pg16', true],
    ['postgis/postgis', true],
    ['pgvector/pgvector:pg17', true],
    ['mysql/mysql-server:8', true],
    ['mariadb', true],
    ['mongo:7', true],
    ['valkey/valkey', true],
    ['clickhouse/clickhouse-server', true],
    ['prometheuscommunity/postgres-exporter', false],
    ['mongo-express', false],
    ['postgres/app', false],
    ['gitea/gitea', false],
    ['nginx', false],
  ])('%s is one: %s', (reference, database) => {
    const plain: ImageInspect = { Id: digest('1'), RepoTags: [], RepoDigests: [], Config: {} };
    expect(toContainer(inspect({ Image: reference }), plain, null).database).toBe(database);
  });

  test('is known by PG_MAJOR, by its probe, by its backup, and by another name of the image', () => {
    const plain = (config: ImageInspect['Config'], tags: string[] = []): ImageInspect => ({
      Id: digest('1'),
      RepoTags: tags,
      RepoDigests: [],
      Config: config,
    });
    const isDatabase = (labels: Record<string, string>, of: ImageInspect): boolean =>
      toContainer(inspect({ Image: 'acme/store', Labels: labels }), of, null).database;
    expect(isDatabase({}, plain({}))).toBe(false);
    expect(isDatabase({}, plain({ Env: ['PG_MAJOR=17'] }))).toBe(true);
    expect(isDatabase({ 'update.probe': 'postgres' }, plain({}))).toBe(true);
    expect(isDatabase({ 'backup.kind': 'postgres' }, plain({}))).toBe(true);
    expect(isDatabase({}, plain({}, ['mysql:8']))).toBe(true);
  });
});

it('takes a handover that cannot be for a recreate, and says why', () => {
  const labels = { 'update.strategy': 'handover' };
  const HostConfig = { NetworkMode: 'front', AutoRemove: false, PortBindings: { '80/tcp': [{ HostPort: '80' }] } };
  const container = toContainer({ ...inspect({ Labels: labels }), HostConfig }, image(), null);
  expect(container.labels.strategy).toBe('recreate');
  expect(container.labels.problems).toMatchObject([{ label: 'update.strategy', value: 'handover' }]);
  expect(container.labels.problems[0]?.message).toContain('taken as recreate');
  expect(toContainer(inspect({ Labels: labels }), image(), null).labels).toMatchObject({
    strategy: 'handover',
    problems: [],
  });
});
