import type { ContainerInspect, ImageInspect } from '../../../../src/domain/engine-inspect';
import { holderRequest, type LayerChange, layerCopy } from '../../../../src/domain/recreate/layer';

const added = (path: string): LayerChange => ({ path, kind: 'added' });
const modified = (path: string): LayerChange => ({ path, kind: 'modified' });
const mounts = (...paths: string[]) => ({
  Mounts: paths.map((Destination) => ({ Type: 'volume', Source: '', Destination, Mode: '', RW: true })),
});

it('copies a folder that was added as a whole, and a file in a folder of the image alone', () => {
  const changes = [
    added('/data'),
    added('/data/a'),
    added('/data/sub'),
    added('/data/sub/b'),
    modified('/etc'),
    modified('/etc/c'),
  ];
  expect(layerCopy(['/data/a', '/data/sub/b', '/etc/c'], changes, mounts())).toEqual({
    folders: [],
    roots: ['/data', '/etc/c'],
  });
});

it('copies the files one by one, and makes their folders, where a folder holds something that is not to be copied', () => {
  const changes = [
    added('/app'),
    added('/app/cache'),
    added('/app/cache/x'),
    added('/app/db'),
    added('/app/db/a'),
    added('/app/b'),
  ];
  expect(layerCopy(['/app/db/a', '/app/b'], changes, mounts())).toEqual({
    folders: ['/app'],
    roots: ['/app/b', '/app/db'],
  });
});

it('never copies a folder in which something is mounted', () => {
  const changes = [added('/data'), added('/data/volume'), added('/data/a')];
  expect(layerCopy(['/data/a'], changes, mounts('/data/volume'))).toEqual({ folders: ['/data'], roots: ['/data/a'] });
});

it('does not take a folder of a similar name for a parent', () => {
  const changes = [added('/data'), added('/data/a'), added('/data-x'), added('/data-x/cache')];
  expect(layerCopy(['/data/a'], changes, mounts()).roots).toEqual(['/data']);
});

it('asks for a container that starts nothing, joins nothing, mounts nothing and has no label of a tool', () => {
  const image = {
    Id: 'sha256:old',
    Config: { Labels: { 'com.docker.compose.project': 'web', 'diun.enable': 'true' }, Volumes: { '/var/data': {} } },
  } as ImageInspect;
  const old = { HostConfig: { UsernsMode: 'host', PidMode: 'host' } } as unknown as ContainerInspect;
  expect(holderRequest(old, image, 'linux/386')).toMatchObject({
    platform: 'linux/386',
    connect: [],
    body: {
      Image: 'sha256:old',
      Labels: { 'com.docker.compose.project': '', 'diun.enable': 'false' },
      HostConfig: {
        NetworkMode: 'none',
        RestartPolicy: { Name: 'no' },
        Tmpfs: { '/var/data': '' },
        UsernsMode: 'host',
      },
    },
  });
  expect(holderRequest(old, image, undefined).body.HostConfig).not.toHaveProperty('PidMode');
});
