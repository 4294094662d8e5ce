import { createGuard, type GuardedCall } from '../../../../src/adapters/docker/socket-proxy/guard/guard';
import { readName, type Sight, sightThrough } from '../../../../src/adapters/docker/socket-proxy/guard/family';
import { powerOf, reachesHost } from '../../../../src/adapters/docker/socket-proxy/guard/power';
import { isHelperScript, isReadingScript } from '../../../../src/adapters/docker/socket-proxy/guard/scripts';
import { LIST } from '../../../../src/backups/sources/files-source';
import { asideName } from '../../../../src/containers/artifact-names';
import * as scripts from '../../../../src/restores/files/move-scripts';
import { anInspect } from '../../../support/inspect-builder';

const NOTHING: Sight = {
  container: () => Promise.resolve(null),
  containers: () => Promise.resolve([]),
  image: () => Promise.resolve(null),
  volume: () => Promise.resolve(null),
  service: () => Promise.resolve(null),
  services: () => Promise.resolve([]),
  dataRoot: () => Promise.resolve('/srv/engine'),
  realPath: (_, path) => Promise.resolve(path),
};

test.each(['old', 'new', 'check', 'kept', 'backup', 'restore', 'drill', 'rehearsal'] as const)(
  'the guard reads the names that diun-pilot makes: %s',
  (role) => {
    expect(readName(asideName('web-1', role, '01KB3X6YZ0123456789ABCDEF'))).toEqual({ base: 'web-1', role });
  },
);

test('a container that cannot start stays in its family', () => {
  expect(readName('/web.cannot-start-0123456789ab')).toEqual({ base: 'web', role: 'plain' });
});

test('the guard knows every script that diun-pilot runs as root, and no other', () => {
  expect(Object.values(scripts).filter((script) => !isHelperScript(script))).toEqual([]);
  expect([isReadingScript(LIST), isHelperScript(`${scripts.SWAP} `), isReadingScript('id')]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('whether root inside is root of the host', () => {
  test.each([
    '/',
    '/etc',
    '/etc/cron.d',
    '/var',
    '/var/lib/docker/volumes',
    '/run/x',
    '/x/docker.sock',
    '/home/me',
    '/srv/../root',
  ])('by a mount of %s, even to read only', (source) => expect(reachesHost(source, false)).toBe(true));
  test.each([
    ...['/etc/letsencrypt', '/etc/nginx', '/etc/nginx/conf.d', '/etc/ssl/certs', '/etc/ca-certificates', '/usr/share'],
    ...['/usr/local/share/x', '/usr/src', '/etc/passwd', '/etc/group', '/etc/hosts', '/etc/machine-id'],
    ...['/etc/localtime', '/etc/timezone'],
  ])('by a mount of %s, unless to read only', (source) => {
    expect([reachesHost(source, true), reachesHost(source, false)]).toEqual([true, false]);
  });
  test.each(['/etc/passwd/x', '/etc/shadow', '/etc/sudoers', '/etc/passwd-'])('by a mount of %s', (source) =>
    expect(reachesHost(source, false)).toBe(true),
  );
  test.each(['/srv/data', '/opt/stack', '/etc/gitea', '/home/me/stack/data', '/var/lib/gitea'])(
    'not by a mount of %s',
    (source) => expect(reachesHost(source, true)).toBe(false),
  );
  test.each(['/srv/engine', '/srv/engine/volumes/x', '/srv', '/'])('by a mount of %s, with its data root', (source) =>
    expect(reachesHost(source, false, '/srv/engine')).toBe(true),
  );
  test('not by a mount next to its data root', () => {
    expect(reachesHost('/srv/engine-backup', true, '/srv/engine')).toBe(false);
  });
  test.each([
    [{ Privileged: true }, 'it is privileged'],
    [{ CapAdd: ['CAP_SYS_ADMIN'] }, 'it has the capability SYS_ADMIN'],
    [{ CapAdd: ['NET_ADMIN'] }, null],
    [{ SecurityOpt: ['seccomp=unconfined'] }, 'it runs with the security option seccomp=unconfined'],
    [{ MaskedPaths: [] }, 'it has no MaskedPaths'],
    [{ Devices: [{ PathOnHost: '/dev/sda' }] }, 'it uses the device /dev/sda'],
    [{ Devices: [{ PathOnHost: '/dev/dri/card0' }] }, null],
    [{ DeviceCgroupRules: ['b *:* rwm'] }, 'it has rules for devices of the host'],
    [{ PidMode: 'host' }, 'its PidMode is host'],
  ])('by %j: %s', async (host, why) => {
    expect((await powerOf(anInspect({ host }), NOTHING))?.why ?? null).toBe(why);
  });

  test('by a volume that is a folder of the host', async () => {
    const Options = { type: 'none', o: 'bind', device: '/etc' };
    const sight = { ...NOTHING, volume: () => Promise.resolve({ Driver: 'local', Options }) };
    const mount = {
      Type: 'volume',
      Name: 'v',
      Source: '/var/lib/docker/volumes/v/_data',
      Destination: '/v',
      Mode: '',
      RW: true,
    };
    const inspect = { ...anInspect(), Mounts: [mount] };
    expect(await powerOf(inspect, sight)).toEqual({
      why: 'it mounts /etc of the host',
      mounts: ['/v'],
      isCertbots: false,
    });
    expect(await powerOf(inspect, NOTHING)).toBeNull();
  });
});

describe('an update of a service', () => {
  const spec = (image: string, more: object = {}, labels: object = {}) => ({
    Name: 'web',
    Labels: { 'diun.enable': 'true', ...labels },
    TaskTemplate: { ContainerSpec: { Image: image, Mounts: [], ...more }, ForceUpdate: 0 },
    Mode: { Replicated: { Replicas: 2 } },
  });
  const now = spec(`nginx:1.28@sha256:${'a'.repeat(64)}`);
  const asked = (body: object): GuardedCall => ({
    ...{ call: 'POST /services/{id}/update', isHead: false, place: 'web', query: { version: '1' } },
    body: body as Record<string, unknown>,
  });
  const judge = async (body: object, Spec: object = now) => {
    const sight = { ...NOTHING, service: () => Promise.resolve({ ID: 'web', Spec: Spec as never }) };
    const verdict = await createGuard().judge(sight, asked(body));
    return verdict.passes ? 'passes' : verdict.reason;
  };
  const next = `nginx:1.29@sha256:${'b'.repeat(64)}`;

  test('may change its image', async () => expect(await judge(spec(next))).toBe('passes'));
  test('may not add a mount', async () => {
    const mounts = { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] };
    expect(await judge(spec(next, mounts))).toBe('more than the image of the service would change');
    expect(await judge(spec(next, { mounts: mounts.Mounts }))).toBe('more than the image of the service would change');
  });
  test.each([
    ['the order of its command', { Command: ['-c', 'x', 'sh'] }],
    ['an empty word of it', { Command: ['sh', '-c', 'x', ''] }],
    ['the order of its arguments', { Args: ['two', 'one'] }],
    ['the order of its environment', { Env: ['B=2', 'A=1'] }],
    ['its user', { User: '' }],
    ['what it mounts at', { Mounts: [{}] }],
  ])('may not change %s', async (_what, change) => {
    const own = { Command: ['sh', '-c', 'x'], Args: ['one', 'two'], Env: ['A=1', 'B=2'], User: '1000' };
    expect(await judge(spec(next, own), spec('nginx:1.28', own))).toBe('passes');
    const told = await judge(spec(next, { ...own, ...change }), spec('nginx:1.28', own));
    expect(told).toBe('more than the image of the service would change');
  });
  test('may not take an image of another repository', async () => {
    expect(await judge(spec('evil.example/x:1'))).toBe('its image is from another repository');
  });
  test('is refused for a service that is not opened to updates', async () => {
    const closed = spec('nginx:1.28', {}, { 'diun.enable': 'false' });
    expect(await judge(closed, closed)).toBe('the service does not have the label diun.enable=true');
  });
  test.each(['1', 't', 'T', 'TRUE', 'True', ' true '])('may change its image where diun.enable is %j', async (flag) => {
    const labels = { 'diun.enable': flag };
    expect(await judge(spec(next, {}, labels), spec('nginx:1.28', {}, labels))).toBe('passes');
  });
  test('may scale it only where the operator allows that', async () => {
    const scaled = (labels: object) => ({ ...spec(next, {}, labels), Mode: { Replicated: { Replicas: 0 } } });
    expect(await judge(scaled({}))).toBe('more than the image of the service would change');
    const allowed = { 'backup.quiesce': 'allowed' };
    expect(await judge(scaled(allowed), spec('nginx:1.28', {}, allowed))).toBe('passes');
  });
  test('may scale one that is not opened to updates where the operator allows that, and change nothing else', async () => {
    const labels = { 'diun.enable': 'false', 'backup.quiesce': 'allowed' };
    const Mode = { Replicated: { Replicas: 0 } };
    const closed = spec('nginx:1.28', {}, labels);
    expect(await judge({ ...closed, Mode }, closed)).toBe('passes');
    const refused = 'the service does not have the label diun.enable=true';
    expect(await judge({ ...spec(next, {}, labels), Mode }, closed)).toBe(refused);
  });
});

describe('a pull', () => {
  const judge = async (Labels: object) => {
    const Spec = { Labels, TaskTemplate: { ContainerSpec: { Image: `lab/app:1@sha256:${'a'.repeat(64)}` } } };
    const sight: Sight = { ...NOTHING, services: () => Promise.resolve([{ ID: 'app', Spec: Spec as never }]) };
    const query = { fromImage: 'lab/app', tag: `sha256:${'b'.repeat(64)}` };
    const asked = { call: 'POST /images/create', isHead: false, place: '', query, body: null };
    const verdict = await createGuard().judge(sight, asked);
    return verdict.passes ? 'passes' : verdict.reason;
  };
  test('of an image of a service that is opened to updates passes', async () => {
    expect(await judge({ 'diun.enable': 'true' })).toBe('passes');
  });
  test('of another is refused', async () => {
    expect(await judge({})).toBe(
      'no container or service with the label diun.enable=true runs an image of docker.io/lab/app',
    );
  });
});

describe('the way back of a service', () => {
  const spec = (image: string, more: object = {}) => ({
    ...{ Name: 'web', Labels: { 'diun.enable': 'true' }, Mode: { Replicated: { Replicas: 2 } } },
    TaskTemplate: { ContainerSpec: { Image: image, ...more } },
  });
  const judge = async (PreviousSpec: object | null, body: object = spec('nginx:1.29')) => {
    const found = { ID: 'web', Spec: spec('nginx:1.29') as never, PreviousSpec: PreviousSpec as never };
    const sight = { ...NOTHING, service: () => Promise.resolve(found) };
    const query = { version: '1', rollback: 'previous' };
    const asked = { call: 'POST /services/{id}/update', isHead: false, place: 'web', query, body: body as never };
    const verdict = await createGuard().judge(sight, asked);
    return verdict.passes ? 'passes' : verdict.reason;
  };
  test('to another image alone passes', async () => expect(await judge(spec('nginx:1.28'))).toBe('passes'));
  test.each([
    [
      'a mount that the operator removed',
      spec('nginx:1.28', { Mounts: [{ Type: 'bind', Source: '/', Target: '/x' }] }),
    ],
    ['what the operator scaled', { ...spec('nginx:1.28'), Mode: { Replicated: { Replicas: 0 } } }],
  ])('does not bring back %s', async (_what, previous) => {
    expect(await judge(previous)).toBe('more than the image of the service would change');
  });
  test('leads to no other repository', async () => {
    expect(await judge(spec('evil.example/x:1'))).toBe('its image is from another repository');
  });
  test('is refused where there is nothing to go back to', async () => {
    expect(await judge(null)).toBe('the service has no previous specification');
  });
  test('asks for nothing else besides', async () => {
    expect(await judge(spec('nginx:1.28'), spec('nginx:1.29', { User: '0' }))).toBe(
      'more than the image of the service would change',
    );
  });
});

describe('what the files of a service are read through while it is scaled to 0', () => {
  const task = anInspect({
    Name: '/site_app.1.0123456789abcdefghijklmno',
    config: {
      Labels: {
        'com.docker.swarm.service.name': 'site_app',
        'com.docker.swarm.service.id': 'app',
        'backup.kind': 'files',
      },
    },
  });
  task.Mounts = [
    { Type: 'volume', Name: 'site_data', Source: '/x/site_data', Destination: '/data', Mode: 'z', RW: true },
  ];
  const sight: Sight = {
    ...NOTHING,
    container: (id) => Promise.resolve([task.Id, task.Name.slice(1)].includes(id) ? task : null),
    containers: () => Promise.resolve([{ id: task.Id, names: [task.Name.slice(1)] }]),
    image: () => Promise.resolve({ Id: task.Image, Config: null }),
  };
  const reader = {
    ...{
      Image: task.Image,
      Entrypoint: ['true'],
      Cmd: [],
      User: '0:0',
      WorkingDir: '/',
      Env: ['LC_ALL=C'],
      Labels: {},
    },
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...{ AutoRemove: false, NetworkMode: 'none', RestartPolicy: { Name: 'no' }, CapDrop: ['ALL'], CapAdd: [] },
      ...{ SecurityOpt: ['no-new-privileges'], Tmpfs: {}, Binds: ['site_data:/data:nocopy'], Mounts: [] },
    },
    NetworkingConfig: { EndpointsConfig: {} },
  };
  const judge = async (body: object, name = 'site_app'): Promise<string> => {
    const asked = { call: 'POST /containers/create', isHead: false, place: '', body: body as Record<string, unknown> };
    const query = { name: asideName(name, 'backup', '01KB3X6YZ0123456789ABCDEF') };
    const verdict = await createGuard().judge(sight, { ...asked, query });
    return verdict.passes ? 'passes' : verdict.reason;
  };

  test('passes as diun-pilot makes it', async () => expect(await judge(reader)).toBe('passes'));
  test.each<[string, object]>([
    ['HostConfig.Binds is not that of a container for a backup', { Binds: ['/etc:/data'] }],
    ['HostConfig.NetworkMode is not that of a container for a backup', { NetworkMode: 'host' }],
    ['HostConfig.CapAdd is not that of a container for a backup', { CapAdd: ['SYS_ADMIN'] }],
  ])('%s', async (reason, host) => {
    expect(await judge({ ...reader, HostConfig: { ...reader.HostConfig, ...host } })).toBe(reason);
  });
  test('runs no command', async () => {
    expect(await judge({ ...reader, Cmd: ['rm', '-rf', '/data'] })).toBe('Cmd is set');
    expect(await judge({ ...reader, Entrypoint: ['sh'] })).toBe('Entrypoint is not true');
  });
  test('has the mounts of its own service only', async () => {
    expect(await judge(reader, 'site_other')).toBe('HostConfig.Binds is not that of a container for a backup');
  });
});

test('what is not there is answered as the engine would', async () => {
  const asked = { call: 'DELETE /containers/{id}', isHead: false, place: 'gone', query: {}, body: null };
  const verdict = await createGuard().judge(NOTHING, asked);
  expect(verdict).toEqual({ passes: false, status: 404, reason: 'No such container: gone' });
});

describe('what a path names', () => {
  const LINKS: Record<string, string> = {
    '/var/run': '/run',
    '/run/deep': '/data/a',
    '/loop': '/loop',
    '/broken': '',
    '/up': '/data/../../run',
  };
  const sight = sightThrough(
    () => Promise.resolve(null),
    (_, path) => Promise.resolve(LINKS[path] ?? null),
  );
  test.each([
    ['/var/run/x', '/run/x'],
    ['/var/run/', '/run'],
    ['/var/run/deep/x', '/data/a/x'],
    ['/up/x', '/run/x'],
    ['/etc/nginx', '/etc/nginx'],
    ['/', '/'],
    ['/loop/x', '/'],
    ['/broken/x', '/'],
  ])('%s is %s', async (path, real) => expect(await sight.realPath('id', path)).toBe(real));
});
