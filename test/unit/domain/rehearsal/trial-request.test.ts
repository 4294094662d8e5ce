import type { ImageInspect, Mount } from '../../../../src/domain/engine-inspect';
import { createRequest } from '../../../../src/domain/recreate/create-request';
import {
  loopbackOf,
  mountRequests,
  hostNamesOf,
  serverInSandbox,
  trialMounts,
  trialRequest,
} from '../../../../src/domain/rehearsal/trial-request';
import { recordedContainer, recordedImages } from '../../../support/recorded-inspect';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const { oldImage, newImage } = recordedImages();
const folder = join(__dirname, '../../../fixtures/inspect');
const situations = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && !name.startsWith('image'))
  .map((name) => name.replace(/\.json$/, ''));
const labelled: ImageInspect = { ...newImage, Config: { ...newImage.Config, Labels: { 'traefik.enable': 'true' } } };

describe('of every recorded container', () => {
  test.each(situations)('%s: nothing of it reaches production, the host or a tool', (situation) => {
    const container = recordedContainer(situation);
    const production = createRequest({ container, oldImage, newImage: labelled, reference: labelled.Id });
    const mounts = mountRequests(trialMounts(container.Mounts, []), new Set());
    const sandbox = { kind: 'joined', owner: 'db' } as const;
    const { body, connect } = trialRequest(production, container, mounts, {
      rehearsalId: 'R',
      image: labelled,
      sandbox,
    });
    expect(body.Labels).toEqual({ 'traefik.enable': '', 'diun.enable': 'false', 'diun-pilot.rehearsal': 'R' });
    expect(body.HostConfig).toMatchObject({
      ...{ NetworkMode: 'container:db', PortBindings: {}, PublishAllPorts: false, RestartPolicy: { Name: 'no' } },
      ...{ AutoRemove: false, LogConfig: { Type: 'json-file' } },
    });
    for (const field of [
      'Binds',
      'VolumesFrom',
      'Links',
      'Devices',
      'Privileged',
      'PidMode',
      'Dns',
      'Sysctls',
      'ExtraHosts',
    ])
      expect([field, body.HostConfig[field]]).toEqual([field, undefined]);
    expect([body.Hostname, body.ExposedPorts, connect, body.NetworkingConfig.EndpointsConfig]).toEqual([
      undefined,
      undefined,
      [],
      {},
    ]);
    expect(body.Env).toEqual(production.body.Env);
    expect(body.HostConfig['Memory']).toBeGreaterThan(0);
    for (const mount of body.HostConfig.Mounts ?? [])
      expect(mount.Type === 'bind' ? mount['ReadOnly'] : mount.Source === undefined).toBe(true);
  });
});

it('keeps the container’s own limits', () => {
  const container = recordedContainer(situations[0] as string);
  Object.assign(container.HostConfig, { Memory: 64_000_000, NanoCpus: 5e8, PidsLimit: 50 });
  const production = createRequest({ container, oldImage, newImage, reference: 'x' });
  const trial = { rehearsalId: 'R', image: newImage, sandbox: { kind: 'joined', owner: 'db' } as const };
  const { HostConfig } = trialRequest(production, container, [], trial).body;
  expect(HostConfig).toMatchObject({ Memory: 64_000_000, MemorySwap: 64_000_000, NanoCpus: 5e8, PidsLimit: 50 });
});

it('gives several servers a loopback address each, and the first every name', () => {
  const hosts = new Map([['db', loopbackOf(0)]]);
  const trial = { rehearsalId: 'R', image: newImage, sandbox: { kind: 'own', hosts, hostname: 'app' } as const };
  const request = {
    body: { Image: 'x', Env: ['A=b'], HostConfig: { NetworkMode: 'none', AutoRemove: false } },
    connect: [],
  };
  const asked = { ...request, body: { ...request.body, NetworkingConfig: { EndpointsConfig: {} } } };
  const { body } = serverInSandbox(asked, null, { ...trial, listens: loopbackOf(1) });
  expect(body.Cmd?.slice(-2)).toEqual(['-c', 'listen_addresses=127.0.0.2']);
  expect(body.Hostname).toBe('app');
  expect(body.HostConfig).toMatchObject({ NetworkMode: 'none', ExtraHosts: ['db:127.0.0.1'] });
  expect(body.Env).toEqual(['A=b', 'POSTGRES_HOST_AUTH_METHOD=trust']);
});

it('knows a container by its name, service, host name and aliases, and not by what the engine made', () => {
  const container = {
    ...{ Id: 'abcdef0123456789', Name: '/shop-db-1', Config: { Image: 'x', Hostname: 'abcdef012345' } },
    NetworkSettings: {
      Networks: { a: { Aliases: ['db', 'shop-db-1', 'abcdef012345', 'bad name'] }, b: { Aliases: ['pg'] } },
    },
  };
  expect(hostNamesOf(container, 'db')).toEqual(['shop-db-1', 'db', 'pg']);
});

it('restores what the backup holds, copies what is writable, and mounts the rest read-only', () => {
  const mount = (Destination: string, more: Partial<Mount> = {}): Mount => ({
    ...{ Type: 'volume', Name: 'v', Source: `/volumes${Destination}`, Destination, Mode: '', RW: true },
    ...more,
  });
  const mounts = [
    mount('/data'),
    mount('/data/deep'),
    mount('/cache'),
    mount('/shared', { RW: false }),
    mount('/media', { Type: 'bind', RW: false }),
    mount('/etc/app.ini', { Type: 'bind' }),
    mount('/tmp', { Type: 'tmpfs' }),
  ];
  const found = trialMounts(mounts, ['/data/']);
  expect(found.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
    '/data restored',
    '/data/deep restored',
    '/cache copied',
    '/shared copied',
    '/media read_only',
    '/etc/app.ini copied',
  ]);
  expect(mountRequests(found, new Set(['/etc/app.ini']))).toEqual([
    { Type: 'volume', Target: '/data' },
    { Type: 'volume', Target: '/data/deep' },
    { Type: 'volume', Target: '/cache' },
    { Type: 'volume', Target: '/shared' },
    { Type: 'bind', Source: '/volumes/media', Target: '/media', ReadOnly: true },
  ]);
});
