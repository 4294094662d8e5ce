import type { ContainerInspect, CreateRequest } from '../../../../src/domain/engine-inspect';
import { createRequest } from '../../../../src/domain/recreate/create-request';
import { recordedContainer, recordedImages } from '../../../support/recorded-inspect';

const images = recordedImages();

function requestFor(situation: string, change: (container: ContainerInspect) => void = () => undefined): CreateRequest {
  const container = recordedContainer(situation);
  change(container);
  return createRequest({ container, ...images, reference: 'recorded/release:2' });
}

function volumeAt(situation: string, destination: string): string {
  return recordedContainer(situation).Mounts.find((mount) => mount.Destination === destination)?.Name ?? 'missing';
}

describe('what merely came from the old image', () => {
  it('is not carried, where the operator gave nothing', () => {
    const { body } = requestFor('bare');
    const { HostConfig, NetworkingConfig, ...config } = body;
    expect(config).toEqual({
      Image: 'recorded/release:2',
      Labels: { recorded: '' },
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
    });
    expect(NetworkingConfig.EndpointsConfig).toEqual({});
    expect(HostConfig.NetworkMode).toBe('bridge');
  });

  it('is not carried beside what the operator gave', () => {
    const { body } = requestFor('everything');
    expect(body).toMatchObject({
      Env: ['EMPTY=', 'OWN=1', 'KEPT=mine'],
      Labels: { own: 'yes', recorded: '', release: 'mine' },
      Hostname: 'own-host',
      Domainname: 'example.test',
      User: '0:0',
      WorkingDir: '/own',
      StopSignal: 'SIGQUIT',
      StopTimeout: 3,
      Cmd: ['sleep', '500'],
      Volumes: { '/anonymous': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Retries: 9 },
    });
    expect(body.Entrypoint).toBeUndefined();
  });

  it.each(['/srv/one/', '/srv//one', '/srv/x/../one/'])(
    'is not carried where the engine only cleaned it: WORKDIR %s',
    (WorkingDir) => {
      const { oldImage, newImage } = recordedImages();
      const written = { ...oldImage, Config: { ...oldImage.Config, WorkingDir } };
      const container = recordedContainer('bare');
      expect(container.Config.WorkingDir).toBe('/srv/one');
      const { body } = createRequest({ container, oldImage: written, newImage, reference: 'recorded/release:2' });
      expect(body.WorkingDir).toBeUndefined();
    },
  );

  it('keeps a published port that the old image exposed, since the new one may not', () => {
    expect(requestFor('everything').body.ExposedPorts).toEqual({ '80/tcp': {}, '8081/udp': {}, '9000/tcp': {} });
  });
});

describe('entrypoint and command', () => {
  it.each([
    ['own-entrypoint', ['sleep'], ['700']],
    ['own-entrypoint-without-command', ['/bin/sh'], undefined],
    ['entrypoint-taken-away', [''], ['sleep', '800']],
    ['own-command', undefined, ['sleep', '900']],
  ])('%s', (situation, entrypoint, command) => {
    const { body } = requestFor(situation);
    expect(body.Entrypoint).toEqual(entrypoint);
    expect(body.Cmd).toEqual(command);
  });

  it('carries a command that equals the image’s, when the entrypoint is the operator’s: it would be reset else', () => {
    const { body } = requestFor('own-entrypoint', ({ Config }) => (Config.Cmd = ['sleep', '1000']));
    expect(body).toMatchObject({ Entrypoint: ['sleep'], Cmd: ['sleep', '1000'] });
  });

  it('carries an entrypoint that equals the image’s, when it was given to take the command away', () => {
    const { body } = requestFor('bare', ({ Config }) => (Config.Cmd = null));
    expect(body.Entrypoint).toEqual(['/usr/bin/env', 'RELEASE=1']);
    expect(body.Cmd).toBeUndefined();
  });
});

describe('the health check', () => {
  it.each([
    ['bare', undefined],
    ['health-disabled', { Test: ['NONE'] }],
    ['health-own-test', { Test: ['CMD-SHELL', 'test -e /etc'] }],
    ['health-own-times', { Interval: 11e9, StartPeriod: 2e9 }],
  ])('is carried field by field: %s', (situation, healthcheck) => {
    expect(requestFor(situation).body.Healthcheck).toEqual(healthcheck);
  });
});

describe('volumes', () => {
  it('are carried by name, anonymous ones and those that the image declares too', () => {
    const { Binds } = requestFor('anonymous-volumes').body.HostConfig;
    expect([...(Binds ?? [])].sort()).toEqual(
      ['/cache', '/data', '/logs'].map((path) => `${volumeAt('anonymous-volumes', path)}:${path}`).sort(),
    );
  });

  it('are asked for once, and stay read-only', () => {
    expect(requestFor('volume-over-declared').body.HostConfig.Binds).toEqual(['recorded-cache:/cache:ro']);
  });

  it('of --mount get the name that the engine gave, and keep their options', () => {
    const { Binds, Mounts } = requestFor('mounts').body.HostConfig;
    expect(Mounts).toEqual([
      expect.objectContaining({
        Type: 'volume',
        Source: 'recorded-mounted',
        Target: '/mounted',
        ReadOnly: true,
        VolumeOptions: { NoCopy: true, DriverConfig: {} },
      }),
      expect.objectContaining({ Type: 'volume', Source: volumeAt('mounts', '/unnamed'), Target: '/unnamed/' }),
      expect.objectContaining({ Type: 'bind', Source: '/etc', BindOptions: { Propagation: 'private' } }),
      expect.objectContaining({ Type: 'tmpfs', Target: '/fast' }),
    ]);
    expect(Binds).toEqual([`${volumeAt('mounts', '/cache')}:/cache`]);
  });

  it('of another container come from it again, own ones by name', () => {
    const { Binds, VolumesFrom } = requestFor('volumes-from').body.HostConfig;
    expect(VolumesFrom).toEqual(['recorded-other:ro']);
    expect(Binds).toContain(`${volumeAt('volumes-from', '/own')}:/own`);
    expect(Binds?.some((bind) => bind.includes('/shared') || bind.includes('/their-bind'))).toBe(false);
  });

  it('are not put over a tmpfs', () => {
    const { Binds, Tmpfs } = requestFor('tmpfs').body.HostConfig;
    expect(Binds).toEqual([]);
    expect(Tmpfs).toEqual({ '/cache': 'size=1m' });
  });

  it('stay read-only, where the engine says that they are', () => {
    const { Binds } = requestFor('anonymous-volumes', ({ Mounts }) => {
      for (const mount of Mounts) mount.RW = mount.Destination !== '/data';
    }).body.HostConfig;
    expect(Binds).toContain(`${volumeAt('anonymous-volumes', '/data')}:/data:ro`);
    expect(Binds).toContain(`${volumeAt('anonymous-volumes', '/logs')}:/logs`);
  });

  it('asked for by a path alone get their name', () => {
    const { Binds } = requestFor('anonymous-volumes', ({ HostConfig }) => (HostConfig.Binds = ['/data'])).body
      .HostConfig;
    expect(Binds).toContain(`${volumeAt('anonymous-volumes', '/data')}:/data`);
    expect(Binds).not.toContain('/data');
  });
});

describe('networks', () => {
  it('are all carried with aliases and static addresses, and nothing that the engine made', () => {
    const { body, connect } = requestFor('two-networks');
    expect(body.NetworkingConfig.EndpointsConfig).toEqual({
      'recorded-front': { Aliases: ['web', 'www'], IPAMConfig: { IPv4Address: '10.231.101.9' } },
    });
    expect(connect).toEqual([
      {
        network: 'recorded-back',
        endpoint: { Aliases: ['api'], IPAMConfig: { IPv4Address: '10.231.102.9' }, Links: ['recorded-other:db'] },
      },
    ]);
    expect(body.Hostname).toBeUndefined();
  });

  it('lose the short id, which older APIs tell as an alias', () => {
    const { connect } = requestFor('two-networks', ({ Id, NetworkSettings }) => {
      NetworkSettings.Networks['recorded-back']?.Aliases?.push(Id.slice(0, 12));
    });
    expect(connect[0]?.endpoint.Aliases).toEqual(['api']);
  });

  it('keep driver options and the priority of the gateway', () => {
    const options = { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'x' }, GwPriority: 7 };
    const { connect } = requestFor('two-networks', ({ NetworkSettings }) => {
      Object.assign(NetworkSettings.Networks['recorded-back'] ?? {}, options);
    });
    expect(connect[0]?.endpoint).toMatchObject(options);
  });

  it('join the default bridge without an endpoint, and the further ones by connect', () => {
    const { body, connect } = requestFor('bridge-and-network');
    expect(body.NetworkingConfig.EndpointsConfig).toEqual({});
    expect(connect).toEqual([{ network: 'recorded-back', endpoint: {} }]);
  });

  it.each([
    ['mac-address', { 'recorded-front': { MacAddress: '02:aa:bb:cc:dd:01' } }],
    ['mac-address-on-bridge', { bridge: { MacAddress: '02:aa:bb:cc:dd:02' } }],
  ])('keep a MAC address that the operator gave: %s', (situation, endpoints) => {
    expect(requestFor(situation).body.NetworkingConfig.EndpointsConfig).toEqual(endpoints);
  });

  it.each(['host-network', 'no-network', 'network-of-another'])('have no endpoint of their own: %s', (situation) => {
    const { body, connect } = requestFor(situation);
    expect(body.HostConfig.NetworkMode).toBe(recordedContainer(situation).HostConfig.NetworkMode);
    expect(body.NetworkingConfig.EndpointsConfig).toEqual({});
    expect(connect).toEqual([]);
  });

  it('of another container take no names and ports, which the engine refuses there', () => {
    const { body } = requestFor('network-of-another', ({ Config }) => {
      Object.assign(Config, { Hostname: 'its-name', Domainname: 'its.test', ExposedPorts: { '9/tcp': {} } });
    });
    expect(body).not.toHaveProperty('Hostname');
    expect(body).not.toHaveProperty('Domainname');
    expect(body).not.toHaveProperty('ExposedPorts');
  });

  it('found by an id in NetworkMode are the first one all the same', () => {
    const id = 'f'.repeat(64);
    const { body, connect } = requestFor('two-networks', ({ HostConfig, NetworkSettings }) => {
      HostConfig.NetworkMode = id;
      Object.assign(NetworkSettings.Networks['recorded-front'] ?? {}, { NetworkID: id });
    });
    expect(Object.keys(body.NetworkingConfig.EndpointsConfig)).toEqual([id]);
    expect(connect.map(({ network }) => network)).toEqual(['recorded-back']);
  });
});

describe('the host’s side', () => {
  it('is carried whole', () => {
    const { HostConfig: before } = recordedContainer('everything');
    const { HostConfig: after } = requestFor('everything').body;
    const others = Object.keys(before).filter((field) => !['Binds', 'Mounts', 'Links'].includes(field));
    expect(others.length).toBeGreaterThan(50);
    for (const field of others) expect([field, after[field]]).toEqual([field, before[field]]);
    expect(requestFor('auto-remove').body.HostConfig.AutoRemove).toBe(true);
    expect(requestFor('privileged').body.HostConfig).toMatchObject({ Privileged: true, CgroupnsMode: 'private' });
  });

  it('takes links in the form in which they are asked for', () => {
    expect(requestFor('link').body.HostConfig.Links?.sort()).toEqual([
      'recorded-other:db',
      'recorded-other:recorded-other',
    ]);
  });

  it('takes no hostname in the host’s namespace', () => {
    const { body } = requestFor('host-namespaces', ({ Config }) => (Config.Hostname = 'the-host'));
    expect(body).not.toHaveProperty('Hostname');
  });
});

describe('the labels of compose', () => {
  const IMAGE = 'com.docker.compose.image';

  it('name the new image, and are left as they are else', () => {
    const before = recordedContainer('compose-project').Config.Labels ?? {};
    const { Labels } = requestFor('compose-project').body;
    expect(Labels?.[IMAGE]).toBe(images.newImage.Id);
    for (const [name, value] of Object.entries(before).filter(
      ([name]) => name.startsWith('com.docker.compose') && name !== IMAGE,
    )) {
      expect([name, Labels?.[name]]).toEqual([name, value]);
    }
  });

  it('name a digest where they named one before, as Compose does from 5.5 on', () => {
    const [oldDigest, newDigest] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];
    const container = recordedContainer('compose-project');
    container.Config.Labels = { [IMAGE]: oldDigest };
    const request = createRequest({
      container,
      oldImage: { ...images.oldImage, RepoDigests: [`release@${oldDigest}`] },
      newImage: { ...images.newImage, RepoDigests: [`release@${newDigest}`] },
      reference: 'release:1',
    });
    expect(request.body.Labels).toEqual({ [IMAGE]: newDigest });
  });

  it('are not made up for a container that compose does not know', () => {
    expect(requestFor('bare').body.Labels).not.toHaveProperty(IMAGE);
  });

  it('give way to those that the update sets itself', () => {
    const labels = { 'com.docker.compose.config-hash': 'new-hash' };
    const container = recordedContainer('compose-project');
    const { body } = createRequest({ container, ...images, reference: 'release:2', labels });
    expect(body.Labels).toMatchObject(labels);
  });
});
