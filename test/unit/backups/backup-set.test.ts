import { membersOf, backupPlaceOf } from '../../../src/domain/backups/backup';
import { backupSets } from '../../../src/backups/backup-set';
import { aContainer } from '../../support/container-builder';

const files = { 'backup.kind': 'files', 'backup.paths': '/data,/etc/gitea' };
const gitea = aContainer({ name: 'forge-gitea-1', project: 'forge', labels: files });
const postgres = aContainer({ name: 'forge-postgres-1', project: 'forge', labels: { 'backup.kind': 'postgres' } });
const nginx = aContainer({ name: 'forge-nginx-1', project: 'forge' });
const wiki = aContainer({ name: 'wiki', project: null, labels: { ...files, 'backup.paths': '/pages' } });
const blog = aContainer({ name: 'blog', project: null, labels: files });

test('a set is every container of the project that carries backup.kind, databases first', () => {
  const all = [nginx, gitea, wiki, postgres];
  expect(membersOf(backupPlaceOf(nginx), all)).toEqual([postgres, gitea]);
});

test('a container outside any project is a set of its own', () => {
  expect(membersOf(backupPlaceOf(wiki), [gitea, wiki, blog])).toEqual([wiki]);
});

test('a project and a container of the same name are two sets', () => {
  const namesake = aContainer({ name: 'forge', project: null, labels: files });
  expect(membersOf(backupPlaceOf(namesake), [namesake, gitea])).toEqual([namesake]);
  expect(membersOf(backupPlaceOf(gitea), [namesake, gitea])).toEqual([gitea]);
});

test('every set of the engine is found, and none of a project where nothing carries the label', () => {
  const plain = aContainer({ name: 'shop-web-1', project: 'shop' });
  expect(backupSets([wiki, plain, postgres, gitea, blog]).map(({ place }) => place)).toEqual([
    { project: null, container: 'blog' },
    { project: null, container: 'wiki' },
    { project: 'forge', container: null },
  ]);
});
