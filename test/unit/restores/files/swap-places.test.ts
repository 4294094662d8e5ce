import type { Mount } from '../../../../src/domain/engine-inspect';
import { isCarried, mountsFor, placeOfPath, unitArgs, unitsOf } from '../../../../src/restores/files/swap-places';

import { anInspect } from '../../../support/inspect-builder';

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
  ['/data', 'folder', [mount('/data', { Type: 'bind', Source: '/var/run' })], 'sockets'],
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

test('what is on a read-only mount stays as it is, not what is writable inside of it', () => {
  const mounts = [mount('/data'), mount('/data/ro', { RW: false }), mount('/data/ro/on/way'), mount('/data/rw')];
  expect(unitArgs('/data', mounts)).toEqual(['/data', '/data/ro/on/way', '/data/rw', '--', '/data/ro', '/data/ro/on']);
  expect(unitArgs('/data', [mount('/data')])).toEqual(['/data', '--']);
});

const bind = (Source: string, Destination: string): Mount => mount(Destination, { Type: 'bind', Source });

test.each<[Mount, boolean]>([
  [mount('/data'), true],
  [mount('/data/git'), true],
  [mount('/'), true],
  [mount('/database'), false],
  [mount('/other'), false],
  [mount('/data/cache', { Type: 'tmpfs' }), false],
  [bind('/var/run/docker.sock', '/data/docker.sock'), false],
  [bind('/srv/my.sock', '/data/x'), false],
  [bind('/run', '/data/run'), false],
  [bind('/dev/dri', '/data/dri'), false],
  [bind('/', '/data/host'), false],
  [bind('/srv/running', '/data/x'), true],
])('of %j the container that moves /data/ has: %s', (one, carried) => {
  expect(isCarried(one, '/data/')).toBe(carried);
});

test('a socket below the path is left where it is', () => {
  expect(unitsOf('/data', [mount('/data'), bind('/run/docker.sock', '/data/docker.sock')])).toEqual(['/data']);
});

test('mounts are asked for by name, read-only as they are, with nothing of an image copied into them', () => {
  const Mounts = [
    mount('/data', { Name: 'files' }),
    mount('/data/sub', { Name: 'files' }),
    { ...bind('/srv/git', '/data/git'), RW: false },
    mount('/var/lib/other', { Name: 'other' }),
  ];
  const asked = { Type: 'volume', Source: 'files', Target: '/data/sub', VolumeOptions: { Subpath: 'x' } };
  const owner = { ...anInspect({ host: { Mounts: [asked] } }), Mounts };
  expect(mountsFor(owner, '/data')).toEqual({
    Binds: ['files:/data:nocopy', '/srv/git:/data/git:ro'],
    Mounts: [{ ...asked, VolumeOptions: { Subpath: 'x', NoCopy: true } }],
  });
});
