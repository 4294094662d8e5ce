import { parse } from 'yaml';
import type { Container } from '../../../../src/domain/container';
import { dataPathsOf } from '../../../../src/domain/data/data-paths';
import type { Mount } from '../../../../src/domain/engine-inspect';
import { readLabels } from '../../../../src/domain/labels/read-labels';
import { labelLines, suggestionsFor, suggestLabels } from '../../../../src/domain/labels/suggest-labels';
import { aContainer } from '../../../support/container-builder';

const suggested = (fields: Partial<Omit<Container, 'labels'>>): Record<string, string> =>
  Object.fromEntries(suggestLabels(aContainer(fields)).labels.map(({ name, value }) => [name, value]));

const notes = (fields: Partial<Omit<Container, 'labels'>>): string =>
  suggestLabels(aContainer(fields)).notes.join('\n');

describe('the labels', () => {
  test('nginx without data is the only automatic one', () => {
    expect(suggested({ application: 'nginx' })).toEqual({
      'diun.enable': 'true',
      'update.policy': 'automatic',
      'update.probe': 'nginx',
    });
  });

  test('nginx with data waits for approval, and its data is backed up', () => {
    expect(suggested({ application: 'nginx', dataPaths: ['/var/www'] })).toEqual({
      'diun.enable': 'true',
      'update.policy': 'manual',
      'update.probe': 'nginx',
      'backup.kind': 'files',
      'backup.paths': '/var/www',
    });
  });

  test('PostgreSQL is dumped; its folder is not archived', () => {
    const postgres = { application: 'postgres' as const, database: true, dataPaths: ['/var/lib/postgresql/data'] };
    expect(suggested(postgres)).toEqual({
      'diun.enable': 'true',
      'update.policy': 'manual',
      'update.probe': 'postgres',
      'backup.kind': 'postgres',
    });
  });

  test('Gitea waits for approval', () => {
    expect(suggested({ application: 'gitea', dataPaths: ['/data', '/etc/gitea'] })).toEqual({
      'diun.enable': 'true',
      'update.policy': 'manual',
      'update.probe': 'gitea',
      'backup.kind': 'files',
      'backup.paths': '/data,/etc/gitea',
    });
  });

  test('another database: its files, with a note', () => {
    const redis = { application: 'database' as const, database: true, dataPaths: ['/data'] };
    expect(suggested(redis)).toMatchObject({ 'update.policy': 'manual', 'backup.kind': 'files' });
    expect(notes(redis)).toContain('dumps only PostgreSQL');
  });

  test('an unknown application waits for approval, and needs a probe if it has no HEALTHCHECK', () => {
    expect(suggested({ application: 'unknown' })).toEqual({ 'diun.enable': 'true', 'update.policy': 'manual' });
    expect(notes({ application: 'unknown' })).toContain('update.probe');
    expect(notes({ application: 'unknown', healthcheck: true })).toBe('');
  });

  test.each([
    ['a comma', '/a,b'],
    ['a blank at its end', '/a '],
    ['another blank at its end', '/a\u00a0'],
  ])('a path with %s is not named, with a note: read again it would be another one', (_, path) => {
    const app = { dataPaths: ['/data', path] };
    expect(suggested(app)['backup.paths']).toBe('/data');
    expect(notes(app)).toContain('cannot be named');
  });

  test('every reason is a text, and the labels are read without a problem', () => {
    for (const application of ['nginx', 'postgres', 'gitea', 'database', 'unknown'] as const) {
      const { labels } = suggestLabels(aContainer({ application, dataPaths: ['/a', '/b'] }));
      const read = readLabels(Object.fromEntries(labels.map(({ name, value }) => [name, value])));
      expect(labels.every(({ reason }) => reason.length > 10)).toBe(true);
      expect(read).toMatchObject({ watched: true, problems: [] });
    }
  });

  test.each([
    ['a Swarm task', { swarmService: 'web' }, 'Swarm service web'],
    ['one that deletes itself', { autoRemove: true }, '--rm'],
    ['one without a tag', { reference: `nginx@sha256:${'a'.repeat(64)}` }, 'from a tag'],
  ])('%s gets none, with the reason', (_, fields, reason) => {
    expect(suggested(fields)).toEqual({});
    expect(notes(fields)).toContain(reason);
  });
});

test('suggested are those that are not watched, but for diun-pilot and its proxy, by project', () => {
  const off = { read: { watched: false } };
  const all = [
    aContainer({ name: 'watched' }),
    aContainer({ name: 'b', project: 'two', ...off }),
    aContainer({ name: 'c', project: 'one', ...off }),
    aContainer({ name: 'a', project: 'two', ...off }),
    aContainer({ name: 'self', self: true, ...off }),
    aContainer({ name: 'proxy', engineDoor: true, ...off }),
    aContainer({ name: 'pilot', pilot: { serves: true, data: null, mounts: [] }, ...off }),
  ];
  expect(suggestionsFor(all).map(({ container }) => container)).toEqual(['c', 'a', 'b']);
});

test('the lines are YAML that Compose reads as the same labels', () => {
  const path = "/it's/$HOME: #1";
  const { labels } = suggestLabels(aContainer({ application: 'unknown', dataPaths: [path] }));
  const read = parse(labelLines({ labels }).join('\n')) as { labels: Record<string, string> };
  expect(read.labels['backup.paths']).toBe("/it's/$$HOME: #1");
});

describe('where data is', () => {
  const mount = (Destination: string, more: Partial<Mount> = {}): Mount => ({
    ...{ Type: 'volume', Source: '/volumes/v', Destination, Mode: '', RW: true },
    ...more,
  });

  test('writable mounts, without those inside another', () => {
    expect(dataPathsOf([mount('/etc/app'), mount('/data/git'), mount('/data/'), mount('/database')])).toEqual([
      '/data',
      '/database',
      '/etc/app',
    ]);
  });

  test.each([
    ['read-only', mount('/conf', { RW: false })],
    ['in memory', mount('/tmp', { Type: 'tmpfs' })],
    ['the socket', mount('/var/run/docker.sock')],
    ['another socket', mount('/app/db.sock')],
    ['the whole root', mount('/')],
    ['the kernel', mount('/sys/fs/cgroup')],
    ['the clock', mount('/etc/localtime')],
    ['a name that would move the cursor', mount('/data\u001b[2J')],
    ['a name with a line break', mount('/data\u2028x: y')],
    ['a name with what no YAML file may have', mount('/data\ufffe')],
  ])('not: %s', (_, given) => {
    expect(dataPathsOf([given])).toEqual([]);
  });
});
