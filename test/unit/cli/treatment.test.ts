import { treatmentOf } from '../../../src/cli/commands/check';
import { aContainer, digest } from '../../support/container-builder';

type Fields = Parameters<typeof aContainer>[0];
const of = (fields: Fields): string => {
  const container = aContainer(fields);
  return treatmentOf(container, [container]).treatment;
};

test.each<[string, Fields, string]>([
  ['not watched', { labels: { 'diun.enable': 'false' } }, 'left alone: not watched'],
  ['itself', { self: true }, 'never: this is diun-pilot itself'],
  ['ignore', { labels: { 'update.policy': 'ignore' } }, 'left alone: update.policy=ignore'],
  ['--rm', { autoRemove: true }, 'never: it deletes itself when it stops (--rm), so nothing could be rolled back'],
  ['a digest', { reference: `nginx@${digest('a')}` }, 'never: it was not created from a tag that could move'],
  [
    'an image id',
    { reference: digest('0').slice(7, 19), imageId: digest('0') },
    'never: it was not created from a tag that could move',
  ],
  ['no policy', {}, 'every update waits for approval'],
  ['automatic', { labels: { 'update.policy': 'automatic' } }, 'up to minor at once; a larger one waits for approval'],
  [
    'automatic, release notes',
    { labels: { 'update.policy': 'automatic', 'update.allow': 'major', 'update.ask-on': 'breaking, security' } },
    'up to major at once; waits for approval if its release notes mention breaking or security',
  ],
  ['automatic, major', { labels: { 'update.policy': 'automatic', 'update.allow': 'major' } }, 'up to major at once'],
  [
    'a database',
    { database: true, labels: { 'update.policy': 'automatic' } },
    'every update waits for approval: a database',
  ],
  [
    'a database that may',
    { database: true, labels: { 'update.policy': 'automatic', 'update.allow-database': 'true' } },
    'up to minor at once; a larger one waits for approval',
  ],
])('%s', (_situation, fields, words) => {
  expect(of(fields)).toBe(words);
});

test('the backup named is that of the whole project, databases first', () => {
  const app = aContainer({ name: 'app', labels: { 'backup.kind': 'files', 'backup.paths': '/data' } });
  const database = aContainer({ name: 'db', labels: { 'backup.kind': 'postgres' } });
  const stranger = aContainer({ name: 'other', project: 'other', labels: { 'backup.kind': 'postgres' } });
  expect(treatmentOf(app, [app, database, stranger]).backup).toBe('db, app');
});

test.each([
  ['nginx', 'nginx'],
  ['http://:3000/api/healthz', 'http :3000/api/healthz'],
  ['tcp://:5432', 'tcp :5432'],
  ['exec:pg_isready -q', 'exec pg_isready -q'],
])('the probe %s is told as %s', (label, words) => {
  const container = aContainer({ labels: { 'update.probe': label } });
  expect(treatmentOf(container, [container]).probe).toBe(words);
});
