import { backupPlaceOf } from '../../../src/domain/backups/backup';
import { canChangeData, holdsData, stoppedForBackup, writersOf } from '../../../src/backups/writers';
import type { Container } from '../../../src/domain/container';
import { aContainer } from '../../support/container-builder';

const KIND = { postgres: { 'backup.kind': 'postgres' }, files: { 'backup.kind': 'files', 'backup.paths': '/data' } };

function of(
  name: string,
  kind: keyof typeof KIND | null,
  dependsOn: string[] = [],
  more: Partial<Omit<Container, 'labels'>> = {},
  own: Record<string, string> = {},
): Container {
  const labels = { ...(kind === null ? {} : KIND[kind]), ...own };
  return aContainer({ id: name, name, service: name, project: 'forge', dependsOn, labels, ...more });
}

const db = of('db', 'postgres');
const gitea = of('gitea', 'files', ['db']);
const names = (...all: Container[]): string[] => writersOf(backupPlaceOf(db), all).map(({ name }) => name);

test('the files of the set and whoever directly depends on its database, never the database', () => {
  const web = of('web', null, ['gitea']);
  expect(names(db, gitea, of('cron', null, ['db']), web)).toEqual(['cron', 'gitea']);
});

test('in the order in which they are started: whom others depend on comes first', () => {
  expect(names(db, of('a', 'files', ['b']), of('b', 'files', ['c']), of('c', 'files', ['db']))).toEqual([
    'c',
    'b',
    'a',
  ]);
});

test('a circle, which Compose refuses, ends nothing', () => {
  expect(names(db, of('a', 'files', ['b']), of('b', 'files', ['a']))).toEqual(['b', 'a']);
});

test('not diun-pilot itself, not a second server that depends on the first, nobody of another project', () => {
  const replica = of('replica', 'postgres', ['db']);
  const self = of('pilot', 'files', ['db'], { self: true });
  expect(names(db, replica, self, of('elsewhere', 'files', ['db'], { project: 'other' }))).toEqual([]);
});

test('a container outside any project writes to its own set alone', () => {
  const lone = of('lone', 'files', [], { project: null, service: null });
  expect(writersOf(backupPlaceOf(lone), [lone, db, gitea]).map(({ name }) => name)).toEqual(['lone']);
});

const NEVER = { 'backup.quiesce': 'never' };
const stopped = (container: Container, ...all: Container[]): string[] =>
  stoppedForBackup(container, all).map(({ name }) => name);

test('a container that directly depends on a database of its set counts as holding data', () => {
  const app = of('app', null, ['db']);
  const web = of('web', null, ['app']);
  const all = [db, app, web];
  expect(all.map((each) => [each.name, holdsData(each, all)])).toEqual([
    ['db', true],
    ['app', true],
    ['web', false],
  ]);
  expect([stopped(app, ...all), stopped(db, ...all), stopped(web, ...all)]).toEqual([['app'], ['app'], []]);
});

test('no dependency counts where the database is not backed up, or belongs to another project', () => {
  const unlabelled = of('db', null);
  const elsewhere = of('app', null, ['db'], { project: 'other' });
  const app = of('app', null, ['db']);
  expect([holdsData(app, [unlabelled, app]), holdsData(elsewhere, [db, elsewhere])]).toEqual([false, false]);
});

test('backup.quiesce=never: not stopped and not a writer, yet able to change the data', () => {
  const app = of('app', null, ['db'], {}, NEVER);
  const all = [db, app, gitea];
  expect([holdsData(app, all), canChangeData(app, all)]).toEqual([false, true]);
  expect([stopped(app, ...all), stopped(gitea, ...all), stopped(db, ...all)]).toEqual([[], ['gitea'], ['gitea']]);
  const files = of('files', 'files', [], {}, NEVER);
  expect([holdsData(files, [db, files]), stopped(files, db, files, gitea)]).toEqual([true, ['gitea']]);
});

test('backup.quiesce=never does not concern a restore: what it uses is replaced under it', () => {
  const app = of('app', null, ['db'], {}, NEVER);
  expect(names(db, app)).toEqual(['app']);
});
