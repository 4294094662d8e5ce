import { placeOf } from '../../../src/backups/backup-set';
import { writersOf } from '../../../src/backups/writers';
import type { Container } from '../../../src/domain/container';
import { aContainer } from '../../support/container-builder';

const KIND = { postgres: { 'backup.kind': 'postgres' }, files: { 'backup.kind': 'files', 'backup.paths': '/data' } };

function of(name: string, kind: keyof typeof KIND | null, dependsOn: string[] = [], more: Partial<Container> = {}) {
  const labels = kind === null ? {} : KIND[kind];
  return aContainer({ id: name, name, service: name, project: 'forge', dependsOn, labels, ...more });
}

const db = of('db', 'postgres');
const gitea = of('gitea', 'files', ['db']);
const names = (...all: Container[]): string[] => writersOf(placeOf(db), all).map(({ name }) => name);

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
  expect(writersOf(placeOf(lone), [lone, db, gitea]).map(({ name }) => name)).toEqual(['lone']);
});
