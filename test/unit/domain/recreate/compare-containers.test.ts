import type { ContainerInspect } from '../../../../src/domain/engine-inspect';
import { type Difference, differences } from '../../../../src/domain/recreate/compare-containers';
import { newVolumes } from '../../../../src/domain/recreate/own-mounts';
import { recordedContainer, recordedImages } from '../../../support/recorded-inspect';

const { oldImage } = recordedImages();
const sameImage = { oldImage, newImage: oldImage };

function differencesAfter(situation: string, change: (container: ContainerInspect) => void): Difference[] {
  const after = recordedContainer(situation);
  change(after);
  return differences(recordedContainer(situation), after, sameImage);
}

describe('the engine’s ways to say the same', () => {
  it.each([
    ['nothing', () => undefined],
    ['null for an empty list', ({ HostConfig }) => (HostConfig['Devices'] = HostConfig['Devices'] ?? null)],
    ['an empty list for null', ({ HostConfig }) => (HostConfig['DeviceRequests'] = [])],
    ['another order of capabilities', ({ HostConfig }) => void (HostConfig['CapAdd'] as string[]).reverse()],
    ['another order of binds', ({ HostConfig }) => void HostConfig.Binds?.reverse()],
    ['another order of variables', ({ Config }) => void Config.Env?.reverse()],
    [
      'an anonymous volume by its name',
      (container) => container.HostConfig.Binds?.push(namedVolume(container, '/anonymous')),
    ],
    ['another id, and the hostname and alias made of it', (container) => withId(container, 'e'.repeat(64))],
    [
      'addresses of the engine',
      ({ NetworkSettings }) =>
        (NetworkSettings.Networks['bridge'] = { IPAddress: '172.17.0.99', MacAddress: '02:42:ac:11:00:63' }),
    ],
  ] as [string, (container: ContainerInspect) => void][])('are no difference: %s', (_, change) => {
    expect(differencesAfter('everything', change)).toEqual([]);
  });
});

describe('log options', () => {
  const log = (Type: string, Config: Record<string, string>) => ({ Type, Config });
  const limits = { 'max-size': '10m', 'max-file': '3' };

  it.each([
    ['that daemon.json adds', log('json-file', {}), log('json-file', limits), 0],
    ['that daemon.json adds to own ones', log('json-file', { tag: 'x' }), log('json-file', { ...limits, tag: 'x' }), 0],
    ['of which an own one changes', log('json-file', { tag: 'x' }), log('json-file', { ...limits, tag: 'y' }), 1],
    ['of which an own one is lost', log('json-file', { tag: 'x' }), log('json-file', limits), 1],
    ['of another driver', log('json-file', {}), log('local', limits), 1],
  ])('%s', (_, before, after, count) => {
    const withLog = (LogConfig: ReturnType<typeof log>): ContainerInspect => {
      const container = recordedContainer('bare');
      return { ...container, HostConfig: { ...container.HostConfig, LogConfig } };
    };
    const found = differences(withLog(before), withLog(after), sameImage);
    expect(found.map(({ field }) => field)).toEqual(Array<string>(count).fill('HostConfig LogConfig'));
  });
});

describe('a difference', () => {
  it('tells field, before and after', () => {
    expect(differencesAfter('everything', ({ HostConfig }) => (HostConfig['Privileged'] = true))).toEqual([
      { field: 'HostConfig Privileged', before: 'none', after: 'true' },
    ]);
  });

  it('never tells a value of the environment or of a label', () => {
    const found = differencesAfter('everything', ({ Config }) => {
      Config.Env = [
        'OWN=secret-value',
        'EMPTY=',
        'KEPT=mine',
        'VERSION=1',
        ...(Config.Env ?? []).slice(4),
        'MORE=secret-value',
      ];
      Config.Labels = { ...Config.Labels, own: 'secret-value' };
    });
    expect(found).toEqual([
      { field: 'Env MORE', before: 'none', after: 'a value' },
      { field: 'Env OWN', before: 'one value', after: 'another value' },
      { field: 'Labels own', before: 'one value', after: 'another value' },
    ]);
    expect(JSON.stringify(found)).not.toContain('secret-value');
  });

  it.each([
    ['Mounts /data', (c) => (mountAt(c, '/data').Name = 'another')],
    ['Mounts /data', (c) => (mountAt(c, '/data').RW = false)],
    ['Mounts /bound', (c) => (mountAt(c, '/bound').Source = '/etc/shadow')],
    ['Mounts /cache', (c) => (c.Mounts = c.Mounts.filter(({ Destination }) => Destination !== '/cache'))],
    ['HostConfig NetworkMode', (c) => (c.HostConfig.NetworkMode = 'host')],
    ['HostConfig PidMode', (c) => (c.HostConfig['PidMode'] = 'host')],
    ['HostConfig UTSMode', (c) => (c.HostConfig['UTSMode'] = 'host')],
    ['HostConfig Runtime', (c) => (c.HostConfig['Runtime'] = 'runsc')],
    ['HostConfig DeviceRequests', (c) => (c.HostConfig['DeviceRequests'] = [{ Count: -1 }])],
    ['HostConfig SecurityOpt', (c) => (c.HostConfig['SecurityOpt'] = ['seccomp=unconfined'])],
    ['HostConfig AFieldOfTomorrow', (c) => (c.HostConfig['AFieldOfTomorrow'] = 'x')],
    ['StopTimeout', (c) => (c.Config.StopTimeout = null)],
    ['Healthcheck Retries', (c) => (c.Config.Healthcheck = { ...c.Config.Healthcheck, Retries: 1 })],
    ['Hostname', (c) => (c.Config.Hostname = c.Id.slice(0, 12))],
    ['Cmd', (c) => (c.Config.Cmd = ['500', 'sleep'])],
  ] as [string, (container: ContainerInspect) => void][])('is told: %s', (field, change) => {
    expect(differencesAfter('everything', change).map((found) => found.field)).toContain(field);
  });

  it.each([
    ['Networks recorded-back', (c) => delete c.NetworkSettings.Networks['recorded-back']],
    ['Networks recorded-front', (c) => (c.NetworkSettings.Networks['recorded-front']!.Aliases = ['web'])],
    ['Networks recorded-front', (c) => (c.NetworkSettings.Networks['recorded-front']!.IPAMConfig = {})],
    ['Networks recorded-back', (c) => (c.NetworkSettings.Networks['recorded-back']!.DriverOpts = { a: 'b' })],
    ['Networks third', (c) => (c.NetworkSettings.Networks['third'] = {})],
  ] as [string, (container: ContainerInspect) => void][])('of the networks is told: %s', (field, change) => {
    expect(differencesAfter('two-networks', change).map((found) => found.field)).toEqual([field]);
  });
});

describe('the new image', () => {
  const images = recordedImages();

  it('changes what the operator left to it, and that is no difference', () => {
    const after = recordedContainer('bare');
    const { Env, Labels, Cmd, Entrypoint, WorkingDir, User, StopSignal, Healthcheck, Volumes, ExposedPorts } =
      images.newImage.Config ?? {};
    Object.assign(after.Config, {
      Env,
      Cmd,
      Entrypoint,
      WorkingDir,
      User,
      StopSignal,
      Healthcheck,
      Volumes,
      ExposedPorts,
    });
    after.Config.Labels = { ...Labels, recorded: '' };
    expect(differences(recordedContainer('bare'), after, images)).toEqual([]);
  });

  it('must be what is run: what the old one said is told where it stays', () => {
    const fields = differences(recordedContainer('bare'), recordedContainer('bare'), images).map(({ field }) => field);
    expect(fields).toEqual(
      expect.arrayContaining([
        'Env VERSION',
        'Env REMOVED',
        'Env ADDED',
        'Labels release',
        'Cmd',
        'WorkingDir',
        'StopSignal',
      ]),
    );
  });

  it('that declares a volume more is told, since the data would not be there', () => {
    const anew = { Type: 'volume', Name: 'new', Source: '/x', Destination: '/var/lib/new', Mode: '', RW: true };
    expect(differencesAfter('bare', (container) => container.Mounts.push(anew))).toEqual([
      { field: 'Mounts /var/lib/new', before: 'none', after: 'volume new writable' },
    ]);
  });

  it('may write its folder with a slash at the end, which the engine takes away', () => {
    const newImage = { ...oldImage, Config: { ...oldImage.Config, WorkingDir: '/srv/' } };
    const after = recordedContainer('bare');
    after.Config.WorkingDir = '/srv';
    expect(differences(recordedContainer('bare'), after, { oldImage, newImage })).toEqual([]);
    after.Config.WorkingDir = '/elsewhere';
    expect(differences(recordedContainer('bare'), after, { oldImage, newImage })).toEqual([
      { field: 'WorkingDir', before: '/srv', after: '/elsewhere' },
    ]);
  });

  it('that declares a volume where the container has a tmpfs makes none there', () => {
    expect(newVolumes(recordedContainer('tmpfs'), images.newImage)).toEqual([]);
    const withSlash = { Mounts: [], HostConfig: { ...recordedContainer('tmpfs').HostConfig, Tmpfs: { '/data/': '' } } };
    expect(newVolumes(withSlash, { Config: { Volumes: { '/data': {}, '/other': {} } } })).toEqual(['/other']);
  });

  it('that declares a volume above a folder on a mount of its own is the same, but for no other path', () => {
    const before = recordedContainer('bare');
    const after = recordedContainer('bare');
    const anew = { Type: 'volume', Name: 'new', Source: '/x', Mode: '', RW: true };
    after.Mounts.push({ ...anew, Destination: '/var/lib/db' }, { ...anew, Destination: '/other' });
    const newImage = {
      ...sameImage.newImage,
      Config: { ...sameImage.newImage.Config, Volumes: { '/var/lib/db': {}, '/other': {} } },
    };
    const fields = (within?: string): string[] =>
      differences(before, after, { ...sameImage, newImage, ...(within === undefined ? {} : { within }) })
        .map(({ field }) => field)
        .filter((field) => field.startsWith('Mounts '));
    expect(fields('/var/lib/db/data')).toEqual(['Mounts /other']);
    for (const other of [undefined, '/var/lib/db', '/var/lib/db2']) expect(fields(other)).toHaveLength(2);
  });
});

it('takes labels that the update sets itself as they were given', () => {
  const labels = { 'com.docker.compose.config-hash': 'new' };
  const after = recordedContainer('compose-project');
  Object.assign(after.Config.Labels ?? {}, labels);
  expect(differences(recordedContainer('compose-project'), after, { ...sameImage, labels })).toEqual([]);
  expect(differences(recordedContainer('compose-project'), after, sameImage)).toHaveLength(1);
});

function mountAt(container: ContainerInspect, path: string): ContainerInspect['Mounts'][number] {
  return container.Mounts.find(({ Destination }) => Destination === path)!;
}

function namedVolume(container: ContainerInspect, path: string): string {
  return `${mountAt(container, path).Name}:${path}`;
}

function withId(container: ContainerInspect, id: string): void {
  container.Id = id;
  for (const endpoint of Object.values(container.NetworkSettings.Networks)) endpoint.Aliases = [id.slice(0, 12)];
}
