/**
 * The parts of the Docker Engine API's JSON that this project reads or carries over, in the API's own spelling
 * (docs.docker.com/reference/api/engine, v1.44). Fields that are only carried stay unread in `HostConfig`.
 */
export interface ContainerInspect {
  Id: string;
  /** With a leading slash. */
  Name: string;
  /** Image id (`sha256:…`). */
  Image: string;
  Created: string;
  RestartCount: number;
  State: ContainerState;
  Config: ContainerConfig;
  HostConfig: HostConfig;
  Mounts: Mount[];
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
  /** Which manifest of a multi-platform image it was created from; engines with the containerd image store, API 1.48. */
  ImageManifestDescriptor?: {
    digest?: string;
    platform?: { architecture?: string; os?: string; variant?: string } | null;
  } | null;
}

/**
 * A container by the list and by an inspect that was made once: nothing else of its state is known. `HostConfig` is as it was
 * created, but for what `docker update` changes (limits, restart policy).
 */
export type ContainerSnapshot = Pick<
  ContainerInspect,
  'Id' | 'Name' | 'Image' | 'Config' | 'HostConfig' | 'Mounts' | 'NetworkSettings'
> & { State: Pick<ContainerState, 'Running' | 'Status'> };

/** Times are RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` is the engine's "never". */
export interface ContainerState {
  Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  Running: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: {
    Status: '' | 'none' | 'starting' | 'healthy' | 'unhealthy';
    Log?: { ExitCode: number; Output: string }[] | null;
  };
}

/** What is set on the container itself: the operator's and the image's, already merged by the engine. */
export interface ContainerConfig {
  Image: string;
  Hostname?: string;
  Domainname?: string;
  User?: string;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  Healthcheck?: Healthcheck | null;
  StopSignal?: string;
  StopTimeout?: number | null;
  Volumes?: Record<string, object> | null;
  ExposedPorts?: Record<string, object> | null;
  MacAddress?: string;
  Tty?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  Shell?: string[] | null;
  NetworkDisabled?: boolean;
}

/** Durations are nanoseconds. */
export interface Healthcheck {
  Test?: string[] | null;
  Interval?: number;
  Timeout?: number;
  Retries?: number;
  StartPeriod?: number;
  StartInterval?: number;
}

/** What the container is given of its host. */
export interface HostConfig {
  NetworkMode: string;
  AutoRemove: boolean;
  Binds?: string[] | null;
  Mounts?: HostMount[] | null;
  /** Options by path. */
  Tmpfs?: Record<string, string> | null;
  VolumesFrom?: string[] | null;
  Links?: string[] | null;
  CapDrop?: string[] | null;
  PortBindings?: Record<string, unknown> | null;
  RestartPolicy?: RestartPolicy | null;
  LogConfig?: LogConfig | null;
  [field: string]: unknown;
}

/** The log driver and its options. */
export interface LogConfig {
  Type?: string;
  Config?: Record<string, string> | null;
  [field: string]: unknown;
}

/** `''` and `no`: never. The count is that of `on-failure`; 0 is without a limit. */
export interface RestartPolicy {
  Name?: string;
  MaximumRetryCount?: number;
}

/** One of `HostConfig.Mounts`, as requested. */
export interface HostMount {
  Type: string;
  Source?: string;
  Target: string;
  [field: string]: unknown;
}

/** As it is mounted, whatever it was requested by. */
export interface Mount {
  Type: string;
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation?: string;
}

/** A container in one of its networks. */
export interface EndpointSettings {
  NetworkID?: string;
  IPAddress?: string;
  GlobalIPv6Address?: string;
  MacAddress?: string;
  Aliases?: string[] | null;
  Links?: string[] | null;
  DriverOpts?: Record<string, string> | null;
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null;
  [field: string]: unknown;
}

/** `GET /images/NAME/json`. */
export interface ImageInspect {
  /** Image id (`sha256:…`). */
  Id: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
  Architecture?: string;
  Os?: string;
  Variant?: string;
  Size?: number;
  Config: ImageConfig | null;
}

/** What an image gives to a container that does not set it itself. */
export type ImageConfig = Omit<ContainerConfig, 'Image'>;

/** Body of `POST /containers/create`, and the networks to join before the start. */
export interface CreateRequest {
  body: ContainerConfig & {
    HostConfig: HostConfig;
    NetworkingConfig: { EndpointsConfig: Record<string, EndpointSettings> };
  };
  /** Every further network: joined with `POST /networks/NAME/connect` between create and start. */
  connect: { network: string; endpoint: EndpointSettings }[];
  /** `linux/386`: the engine refuses an image of another platform. Left out: the image that the reference names. */
  platform?: string;
}
