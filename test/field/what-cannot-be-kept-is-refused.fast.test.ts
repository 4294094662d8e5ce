import type { ContainerInspect } from '../../src/domain/engine-inspect';
import { runsUnderShell } from '../../src/domain/handover';
import { lifecycleHooks } from '../../src/domain/compose/lifecycle-hooks';
import { createRequest } from '../../src/domain/recreate/create-request';
import { differences } from '../../src/domain/recreate/compare-containers';
import { unknownFields } from '../../src/domain/recreate/known-fields';
import { isTemporary, ownPaths, unmountedBackupPaths, wasCopiedBeforeStart } from '../../src/domain/recreate/layer';
import { platformOf, platformText, platformToAsk } from '../../src/domain/recreate/platform';
import { withVolumesOf } from '../../src/domain/recreate/own-mounts';
import { linksTo, namespacesOf } from '../../src/domain/network/shared-network';
import { anInspect } from '../support/inspect-builder';
import { recordedContainer, recordedImages } from '../support/recorded-inspect';

// The rules behind test/field/what-cannot-be-kept-is-refused.test.ts, and engines that the lab does not have.

const SITUATIONS = ['bare', 'everything', 'two-networks', 'mounts', 'volumes-from', 'mac-address', 'health-own-times'];

describe('a field that this version does not know', () => {
  it.each(SITUATIONS)('is in no container of an engine that it knows: %s', (situation) => {
    expect(unknownFields(recordedContainer(situation))).toEqual([]);
  });

  it('is refused by name, wherever it is, if it says something', () => {
    const container = recordedContainer('two-networks') as unknown as Record<string, Record<string, unknown>>;
    container['HostConfig']!['CpuTurbo'] = true;
    container['HostConfig']!['Mounts'] = [{ Type: 'cloud', Target: '/c', Source: 'x', Region: 'eu' }];
    container['HostConfig']!['Quiet'] = false;
    container['Config']!['Motto'] = 'x';
    container['Config']!['Healthcheck'] = { Test: ['CMD', 'true'], Jitter: 5 };
    const [network = ''] = Object.keys(container['NetworkSettings']!['Networks'] ?? {});
    (container['NetworkSettings']!['Networks'] as Record<string, object>)[network] = {
      Lane: 2,
      IPAMConfig: { Zone: 'b' },
    };
    expect(unknownFields(container as unknown as ContainerInspect).sort()).toEqual([
      'Config.Healthcheck.Jitter',
      'Config.Motto',
      'HostConfig.CpuTurbo',
      'HostConfig.Mounts /c.Region',
      'HostConfig.Mounts /c: type cloud',
      `Networks ${network} IPAMConfig.Zone`,
      `Networks ${network}.Lane`,
    ]);
  });
});

it('carries gw_priority and an image mount over, as Engine 28 reports them', () => {
  const { oldImage, newImage } = recordedImages();
  const container = recordedContainer('two-networks');
  const [network = ''] = Object.keys(container.NetworkSettings.Networks);
  container.NetworkSettings.Networks[network]!['GwPriority'] = 10;
  const mount = { Type: 'image', Source: 'data:1', Target: '/assets', ImageOptions: { Subpath: 'public' } };
  container.HostConfig.Mounts = [mount];
  const request = createRequest({ container, oldImage, newImage, reference: 'web:2' });
  const endpoints = Object.values({
    ...request.body.NetworkingConfig.EndpointsConfig,
    ...Object.fromEntries(request.connect.map((each) => [each.network, each.endpoint])),
  });
  expect(endpoints.map(({ GwPriority }) => GwPriority)).toContain(10);
  expect(request.body.HostConfig.Mounts).toEqual([mount]);
  const without = structuredClone(container);
  delete without.NetworkSettings.Networks[network]!['GwPriority'];
  const fields = differences(container, without, { oldImage, newImage }).map(({ field }) => field);
  expect(fields).toContain(`Networks ${network}`);
});

describe('a file in the layer', () => {
  const ofCompose = { Labels: { 'com.docker.compose.project': 'web' } };
  const container = anInspect({ state: { StartedAt: '2026-11-28T11:45:29.44177698Z' }, config: ofCompose });
  container.Created = '2026-11-28T11:45:28.482827051Z';
  const file = (modifiedAt: string) => ({ type: 'file' as const, size: 6, mode: 0o440, modifiedAt });

  it.each([
    ['written by Compose, whose times are rounded up', '2026-11-28T11:45:29Z', true],
    ['written by Compose, rounded to after the start', '2026-11-28T11:45:30Z', true],
    ['written by a process, which has a fraction of a second', '2026-11-28T11:45:29.063819578Z', false],
    ['unpacked by the entrypoint from an archive of last year', '2025-01-01T00:00:00Z', false],
    ['unpacked an hour after the start', '2026-11-28T12:45:30Z', false],
  ])('%s: copied by Compose is %s → %s', (_, modifiedAt, expected) => {
    expect(wasCopiedBeforeStart('/app.conf', file(modifiedAt), container)).toBe(expected);
  });

  it('is one that is not a folder on the way, not a mount point, and was not deleted', () => {
    const mounts = { Mounts: [{ Type: 'volume', Source: '', Destination: '/srv/volume', Mode: '', RW: true }] };
    const changed = (path: string, kind: 'added' | 'modified' | 'deleted' = 'added') => ({ path, kind });
    const changes = [
      changed('/srv', 'modified'),
      changed('/srv/volume'),
      changed('/srv/app'),
      changed('/srv/app/x.db'),
      changed('/etc/motd', 'deleted'),
    ];
    expect(ownPaths(changes, mounts)).toEqual(['/srv/app/x.db']);
  });

  it.each([
    ['/tmp/x', true],
    ['/run/nginx.pid', true],
    ['/run/secrets/password', false],
    ['/root/.cache/pip/x', true],
    ['/var/cache/nginx/proxy', true],
    ['/data/x.db', false],
    ['/etc/nginx/conf.d/site.conf', false],
    ['/etc/resolv.conf', true],
  ])('%s is temporary: %s', (path, expected) => expect(isTemporary(path)).toBe(expected));
});

it.each([
  ['in a volume', '/data/files', []],
  ['the volume itself', '/data', []],
  ['not in a volume', '/srv', ['/srv']],
  ['above volumes, and with a file of its own', '/var/lib', ['/var/lib']],
  ['above volumes only', '/opt', []],
  ['in memory', '/mem', ['/mem']],
])('a backup path that is %s', (_, path, lost) => {
  const mount = (Destination: string, Type = 'volume') => ({ Type, Source: '', Destination, Mode: '', RW: true });
  const Mounts = [mount('/data'), mount('/var/lib/app'), mount('/opt/app'), mount('/mem', 'tmpfs')];
  expect(unmountedBackupPaths([path], ['/var/lib/other.db'], { Mounts })).toEqual(lost);
});

describe('the platform', () => {
  const image = { Os: 'linux', Architecture: 'amd64', Variant: '' };

  it('is that of the manifest, where the engine describes it (containerd image store)', () => {
    const ImageManifestDescriptor = { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } };
    expect(platformText(platformOf({ ImageManifestDescriptor }, image)!)).toBe('linux/arm/v6');
  });

  it.each([
    [{ Os: 'linux', Architecture: 'arm64', Variant: 'v8' }, 'linux/arm64'],
    [{ Os: 'linux', Architecture: 'arm', Variant: 'v7' }, 'linux/arm'],
    [{ Os: 'linux', Architecture: '386' }, 'linux/386'],
  ])('of the image %j is %s', (is, expected) => expect(platformText(platformOf({}, is)!)).toBe(expected));

  it('is asked for by name only where the engine would select another', () => {
    const engine = { os: 'linux', architecture: 'amd64' };
    expect(platformToAsk(platformOf({}, image), engine)).toBeUndefined();
    expect(platformToAsk(platformOf({}, { Os: 'linux', Architecture: '386' }), engine)).toBe('linux/386');
    expect(platformToAsk(platformOf({}, {}), engine)).toBeUndefined();
  });
});

it('mounts the volumes of volumes_from under their own names once their container is gone', () => {
  const { oldImage, newImage } = recordedImages();
  const container = recordedContainer('volumes-from');
  const [source = ''] = (container.HostConfig.VolumesFrom ?? []).map((entry) => entry.split(':')[0] ?? '');
  expect(withVolumesOf(container, new Set())).toBe(container);
  const present = withVolumesOf(container, new Set([source]));
  expect(present.HostConfig.VolumesFrom).toBeNull();
  const { body } = createRequest({ container: present, oldImage, newImage, reference: 'web:2' });
  const mounted = (body.HostConfig.Binds ?? []).map((bind) => bind.split(':')[1]);
  expect(mounted.sort()).toEqual(container.Mounts.map(({ Destination }) => Destination).sort());
});

it.each([
  ['its ID', 'f00d'.repeat(16), ['pid']],
  ['its short ID', 'f00d'.repeat(3), ['pid']],
  ['its name', 'web-nginx-1', ['pid']],
  ['another container', 'beef'.repeat(16), []],
])('knows a container that lends its pid namespace by %s', (_, owner, kinds) => {
  expect(namespacesOf(anInspect(), anInspect({ host: { PidMode: `container:${owner}` } }))).toEqual(kinds);
});

it.each([
  [['sh', '-c', 'nginx -g "daemon off;"; true'], [], true],
  [['/docker-entrypoint.sh'], ['/bin/bash', '-c', 'python app.py'], true],
  [['tini', '--', 'sh', '-c', 'a | b'], [], true],
  [['sh', '-c', 'set -e; exec nginx'], [], false],
  [['/docker-entrypoint.sh'], ['nginx', '-g', 'daemon off;'], false],
])('of %j %j the server runs under a shell: %s', (Entrypoint, Cmd, expected) => {
  expect(runsUnderShell(anInspect({ config: { Entrypoint, Cmd } }))).toBe(expected);
});

it('finds the lifecycle hooks of a service in any of its files, merged keys included', () => {
  const base =
    'x-hooks: &hooks\n  post_start:\n    - command: [touch, /ready]\nservices:\n  web:\n    <<: *hooks\n  db: {}\n';
  const override = 'services:\n  web:\n    pre_stop: !override\n      - command: drain\n';
  expect(lifecycleHooks('web', [base, override])).toEqual(['post_start', 'pre_stop']);
  expect(lifecycleHooks('db', [base, override])).toEqual([]);
});

it('knows a link by the form in which the engine shows it', () => {
  const links = (Name: string): boolean => linksTo({ Name }, recordedContainer('link'));
  expect([links('/recorded-other'), links('/other'), links('/recorded-link')]).toEqual([true, false, false]);
});
