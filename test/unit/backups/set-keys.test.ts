import fc from 'fast-check';
import { itemKey, manifestKey, setFolder } from '../../../src/backups/backup-set';

const at = new Date('2026-11-23T02:00:00.123Z');

test('a set has a folder that sorts by time and is told apart by the id of its record', () => {
  expect(setFolder('shop', at, '01JD000000')).toBe('shop/20261123T020000Z-01JD000000');
  expect(manifestKey('shop/x')).toBe('shop/x/manifest.json');
});

test('the key of an item says what it is', () => {
  const of = (kind: 'database' | 'globals' | 'files', name: string, compression: 'gzip' | 'none'): string =>
    itemKey('f', 3, { container: 'db', kind, name, compression });
  expect(of('database', 'app', 'none')).toBe('f/03-db-database-app.dump');
  expect(of('globals', 'globals', 'gzip')).toBe('f/03-db-globals.sql.gz');
  expect(of('files', '/etc/gitea', 'gzip')).toBe('f/03-db-files-etc_gitea.tar.gz');
});

test('no name of a database, path or project leads out of the folder', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (place, name) => {
      const folder = setFolder(place, at, 'id');
      const key = itemKey(folder, 1, { container: name, kind: 'database', name, compression: 'none' });
      const parts = key.split('/');
      expect(parts).toHaveLength(3);
      for (const part of parts) expect(part).toMatch(/^(?!\.)[A-Za-z0-9._-]{1,140}$/);
    }),
  );
});

test('two databases whose names differ only in what a key cannot carry have two keys', () => {
  const key = (number: number, name: string): string =>
    itemKey('f', number, { container: 'db', kind: 'database', name, compression: 'none' });
  expect(key(1, 'a b')).not.toBe(key(2, 'a/b'));
});
