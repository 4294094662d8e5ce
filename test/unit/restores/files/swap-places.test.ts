import type { Mount } from '../../../../src/domain/engine-inspect';
import { placeOfPath, unitsOf } from '../../../../src/restores/files/swap-places';

const mount = (Destination: string, more: Partial<Mount> = {}): Mount => ({
  ...{ Type: 'volume', Source: '/x', Destination, Mode: '', RW: true },
  ...more,
});

test.each([
  ['/data', 'folder', [mount('/data')], 'volume'],
  ['/data/gitea', 'folder', [mount('/data')], 'volume'],
  ['/data', 'folder', [mount('/data/git')], 'own_layer'],
  ['/database', 'folder', [mount('/data')], 'own_layer'],
  ['/data', 'folder', [mount('/data', { RW: false })], 'read_only'],
  ['/data/a', 'folder', [mount('/data'), mount('/data/a', { RW: false })], 'read_only'],
  ['/etc/app.ini', 'file', [mount('/etc/app.ini')], 'mounted_itself'],
  ['/etc/app.ini', 'file', [mount('/etc')], 'volume'],
  ['/run/x', 'folder', [mount('/run', { Type: 'tmpfs' })], 'own_layer'],
] as const)('%s, a %s, with %j lies in %s', (path, kind, mounts, place) => {
  expect(placeOfPath(path, kind, mounts)).toBe(place);
});

test('a mount below cannot be moved, so its content and that of the folders on the way are moved by themselves', () => {
  expect(unitsOf('/data/', [mount('/data'), mount('/data/a/b'), mount('/other')])).toEqual([
    '/data',
    '/data/a',
    '/data/a/b',
  ]);
  expect(unitsOf('/data', [mount('/data')])).toEqual(['/data']);
});
