import type { Mount } from '../../../../src/domain/engine-inspect';
import { withoutHeld, type PathOf } from '../../../../src/restores/files/held-paths';
import { anInspect } from '../../../support/inspect-builder';

const volume = (Name: string, Destination: string): Mount => ({
  ...{ Type: 'volume', Name, Source: `/volumes/${Name}`, Destination, Mode: '', RW: true },
});
const bind = (Source: string, Destination: string): Mount => ({
  ...{ Type: 'bind', Source, Destination, Mode: '', RW: true },
});
const at = (Id: string, path: string, ...Mounts: Mount[]): PathOf => ({
  path,
  inspect: { ...anInspect({ Id }), Mounts },
});
const part = (Id: string, path: string, Subpath: string): PathOf => ({
  path,
  inspect: {
    ...anInspect({ Id, host: { Mounts: [{ Type: 'volume', Target: '/data', VolumeOptions: { Subpath } }] } }),
    Mounts: [volume('files', '/data')],
  },
});

test.each<[string, PathOf[], number[]]>([
  [
    'a path inside another one of the container',
    [at('app', '/data', volume('v', '/data')), at('app', '/data/a/', volume('v', '/data'))],
    [0],
  ],
  [
    'that on a volume of its own there, too',
    [at('app', '/data/a', volume('v', '/data'), volume('w', '/data/a')), at('app', '/data', volume('v', '/data'))],
    [1],
  ],
  [
    'one volume of two containers, wherever it is mounted',
    [at('app', '/srv', volume('v', '/srv')), at('cron', '/data', volume('v', '/data'))],
    [0],
  ],
  [
    'a folder of the host inside that of another container',
    [at('cron', '/repo', bind('/srv/x/repo', '/repo')), at('app', '/data', bind('/srv/x', '/data'))],
    [1],
  ],
  ['a volume at the root', [at('app', '/', volume('v', '/')), at('cron', '/data/x', volume('v', '/data'))], [0]],
])('comes back with the other: %s', (_, paths, left) => {
  expect(withoutHeld(paths)).toEqual(left.map((i) => paths[i]));
});

test.each<[string, PathOf[]]>([
  ['other paths', [at('app', '/data/a', volume('v', '/data')), at('app', '/data/ab', volume('v', '/data'))]],
  ['other volumes', [at('app', '/data', volume('v', '/data')), at('cron', '/data', volume('w', '/data'))]],
  [
    'other folders of the host',
    [at('app', '/data', bind('/srv/x', '/data')), at('b', '/data', bind('/srv/xy', '/data'))],
  ],
  ['parts of one volume', [part('app', '/data', 'a'), part('cron', '/data', 'b')]],
  [
    'a folder that is hidden in the other container by another mount',
    [at('app', '/data', volume('v', '/data'), volume('w', '/data/a')), at('cron', '/data/a', volume('v', '/data'))],
  ],
  [
    'a folder in which the other container has no mount',
    [
      at('app', '/data', volume('v', '/data')),
      at('cron', '/data', volume('v', '/data'), volume('w', '/data/a')),
    ].toReversed(),
  ],
])('comes back on its own: %s', (_, paths) => {
  expect(withoutHeld(paths)).toEqual(paths);
});
