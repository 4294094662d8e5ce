import { posix } from 'node:path';
import type {
  ContainerInspect,
  CreateRequest,
  EndpointSettings,
  HostConfig,
  Mount,
} from '../../src/domain/engine-inspect';
import { mergeImage } from './fake-engine-merge';
import type { ContainerSpec, FakeImage } from './fake-engine-types';

export interface Creation {
  id: string;
  name: string;
  created: Date;
  image: FakeImage;
  request: CreateRequest;
  /** Mounts of the containers that `VolumesFrom` names. */
  inherited: Mount[];
  newVolume: () => string;
}

/** The inspect result of a container just created: image merged, anonymous volumes named, networks joined. */
export function createdInspect(creation: Creation): ContainerInspect {
  const { id, image, request } = creation;
  const { HostConfig: askedHost, NetworkingConfig, ...asked } = request.body;
  const host = withDefaults(askedHost);
  const config = mergeImage(asked, image.config);
  return {
    Id: id,
    Name: `/${creation.name}`,
    Image: image.id,
    Created: creation.created.toISOString(),
    RestartCount: 0,
    State: {} as ContainerInspect['State'],
    Config: {
      ...config,
      Hostname: asked.Hostname ?? (host.NetworkMode.startsWith('container:') ? '' : id.slice(0, 12)),
    },
    HostConfig: host,
    Mounts: mountsOf(creation, host, Object.keys(config.Volumes ?? {})),
    NetworkSettings: { Networks: networksOf(host.NetworkMode, NetworkingConfig.EndpointsConfig, request.connect) },
  };
}

function endpoint(settings: EndpointSettings): EndpointSettings {
  const engines = { NetworkID: '', EndpointID: '', Gateway: '', IPAddress: '' };
  const asked = { IPAMConfig: null, Links: null, Aliases: null, DriverOpts: null, MacAddress: '' };
  return { ...asked, ...structuredClone(settings), ...engines };
}

function withDefaults(asked: Partial<HostConfig>): HostConfig {
  const restart = { Name: 'no', MaximumRetryCount: 0 };
  return {
    AutoRemove: false,
    RestartPolicy: restart,
    Binds: null,
    Links: null,
    PortBindings: {},
    ...structuredClone(asked),
    NetworkMode: asked.NetworkMode || 'default',
  };
}

function networksOf(
  mode: string,
  first: Record<string, EndpointSettings>,
  connect: CreateRequest['connect'],
): Record<string, EndpointSettings> {
  if (mode.startsWith('container:')) return {};
  const name = mode === 'default' ? 'bridge' : mode;
  const further = connect.map(({ network, endpoint: settings }) => [network, endpoint(settings)] as const);
  return { [name]: endpoint(first[mode] ?? first[name] ?? {}), ...Object.fromEntries(further) };
}

/** Binds win over Mounts, those over VolumesFrom, those over declared volumes: each destination once. */
function mountsOf(creation: Creation, host: HostConfig, declared: string[]): Mount[] {
  const asked = [
    ...(host.Binds ?? []).map((bind) => bindMount(bind, creation.newVolume)),
    ...(host.Mounts ?? []).map((mount) => {
      const source = mount.Source || creation.newVolume();
      return mount.Type === 'volume'
        ? volumeMount(source, mount.Target, !mount.ReadOnly)
        : { Type: mount.Type, Source: mount.Source ?? '', Destination: mount.Target, Mode: '', RW: !mount.ReadOnly };
    }),
    ...creation.inherited,
  ];
  const inMemory = Object.keys(host['Tmpfs'] ?? {}).map((path) => posix.resolve('/', path));
  const covered = new Set([...asked.map((mount) => mount.Destination), ...inMemory]);
  const rest = declared.map((path) => posix.resolve('/', path)).filter((path) => !covered.has(path));
  return [...asked, ...rest.map((path) => volumeMount(creation.newVolume(), path, true))];
}

function bindMount(bind: string, newVolume: () => string): Mount {
  const [first = '', second, options = ''] = bind.split(':');
  const writable = !options.split(',').includes('ro');
  if (second === undefined) return volumeMount(newVolume(), first, true);
  if (!first.startsWith('/')) return volumeMount(first, second, writable);
  return {
    Type: 'bind',
    Source: first,
    Destination: posix.resolve('/', second),
    Mode: options,
    RW: writable,
    Propagation: 'rprivate',
  };
}

function volumeMount(name: string, destination: string, writable: boolean): Mount {
  return {
    Type: 'volume',
    Name: name,
    Source: `/var/lib/docker/volumes/${name}/_data`,
    Destination: posix.resolve('/', destination),
    Driver: 'local',
    Mode: 'z',
    RW: writable,
    Propagation: '',
  };
}

/** A create request as an operator's `docker run` makes it. */
export function requestOf(spec: ContainerSpec): CreateRequest {
  const [first = 'default', ...others] = spec.networks ?? [];
  const ports = Object.entries(spec.ports ?? {});
  const bindings = ports.map(([host, port]) => [`${port}/tcp`, [{ HostIp: '', HostPort: host }]] as const);
  return {
    body: {
      Image: spec.image,
      Labels: spec.labels ?? {},
      Env: spec.env ?? [],
      Cmd: spec.cmd ?? null,
      Entrypoint: spec.entrypoint ?? null,
      ExposedPorts: Object.fromEntries(ports.map(([, port]) => [`${port}/tcp`, {}])),
      HostConfig: {
        AutoRemove: false,
        NetworkMode: first,
        Binds: Object.entries(spec.volumes ?? {}).map(([name, path]) => `${name}:${path}`),
        PortBindings: Object.fromEntries(bindings),
        RestartPolicy: { Name: spec.restart ?? 'no', MaximumRetryCount: 0 },
        ...spec.hostConfig,
      },
      NetworkingConfig: { EndpointsConfig: first === 'default' ? {} : { [first]: {} } },
    },
    connect: others.map((network) => ({ network, endpoint: {} })),
  };
}
