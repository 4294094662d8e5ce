import type { ContainerInspect, CreateRequest, HostConfig, HostMount, ImageInspect, Mount } from '../engine-inspect';
import { cleanPath, isPathWithin } from '../recreate/own-mounts';
import { shortId } from '../format';

const GIB = 1024 * 1024 * 1024;
/** For a container without a limit of its own: production must not notice. */
const DEFAULT_MEMORY = 2 * GIB;
const DEFAULT_NANO_CPUS = 1_000_000_000;
/** A quarter of the weight that a container has by default. */
const LOW_CPU_SHARES = 256;
const MOST_PROCESSES = 2048;

/** By this label a container of a rehearsal is known; its value is the rehearsal's id. */
export const REHEARSAL_LABEL = 'diun-pilot.rehearsal';

/** The namespace that all containers of a trial share: nothing but loopback is in it. */
export type Sandbox =
  /** This container is its first. Every name that is reachable in it, with its loopback address. */
  { kind: 'own'; hosts: ReadonlyMap<string, string>; hostname: string | null } | { kind: 'joined'; owner: string };

interface Trial {
  rehearsalId: string;
  image: ImageInspect;
  sandbox: Sandbox;
}

/** What of a host config says how the container runs, and reaches nothing outside of it. */
const CARRIED = [
  ...['CapAdd', 'CapDrop', 'GroupAdd', 'Init', 'MaskedPaths', 'ReadonlyPaths', 'SecurityOpt', 'ShmSize', 'Tmpfs'],
  ...['Ulimits', 'Runtime', 'OomScoreAdj', 'CpusetCpus', 'IpcMode'],
];

/**
 * The production's create request, made harmless: the same image settings, environment and secrets, but no port, no restart
 * policy, no label of any tool, no network but the sandbox, and mounts of its own. Pure.
 */
export function trialRequest(
  { body, platform }: CreateRequest,
  container: Pick<ContainerInspect, 'HostConfig'>,
  mounts: readonly HostMount[],
  trial: Trial,
): CreateRequest {
  const inMemory = (container.HostConfig.Mounts ?? []).filter(({ Type }) => Type === 'tmpfs');
  const config: CreateRequest['body'] = { ...body };
  for (const field of ['ExposedPorts', 'Hostname', 'Domainname', 'MacAddress', 'Volumes'] as const)
    delete config[field];
  return {
    body: {
      ...config,
      ...hostnameOf(trial.sandbox),
      Image: trial.image.Id,
      Labels: trialLabels(trial),
      HostConfig: {
        ...Object.fromEntries(CARRIED.flatMap((field) => fieldOf(container.HostConfig, field))),
        ...limits(container.HostConfig),
        ...harmless(trial.sandbox),
        Mounts: [...mounts, ...inMemory],
      },
      NetworkingConfig: { EndpointsConfig: {} },
    },
    connect: [],
    ...(platform === undefined ? {} : { platform }),
  };
}

/** A database server of a drill, in the sandbox of a trial. Pure. */
export function serverInSandbox(
  { body }: CreateRequest,
  production: Pick<ContainerInspect, 'HostConfig'> | null,
  trial: Trial & { listens: string | null },
): CreateRequest {
  const listen = trial.listens === null ? [] : ['-c', `listen_addresses=${trial.listens}`];
  const command = body.Cmd ?? (listen.length === 0 ? null : (trial.image.Config?.Cmd ?? ['postgres']));
  return {
    body: {
      ...body,
      ...hostnameOf(trial.sandbox),
      Cmd: command === null ? null : [...command, ...listen],
      // Nothing else is in this network, and the application has the password of production, which a dump does not hold.
      Env: [...(body.Env ?? []), 'POSTGRES_HOST_AUTH_METHOD=trust'],
      Labels: trialLabels(trial),
      HostConfig: {
        ...body.HostConfig,
        ...limits(production?.HostConfig ?? { NetworkMode: 'none', AutoRemove: false }),
        ...harmless(trial.sandbox),
      },
    },
    connect: [],
  };
}

/** Labels of an image come with it, so each is emptied: no proxy, Compose or Diun may take the container for its own. */
function trialLabels({ rehearsalId, image }: Trial): Record<string, string> {
  const ofImage = Object.keys(image.Config?.Labels ?? {}).map((label) => [label, ''] as const);
  return { ...Object.fromEntries(ofImage), 'diun.enable': 'false', [REHEARSAL_LABEL]: rehearsalId };
}

function hostnameOf(sandbox: Sandbox): { Hostname?: string } {
  return sandbox.kind === 'own' && sandbox.hostname !== null ? { Hostname: sandbox.hostname } : {};
}

function harmless(sandbox: Sandbox): HostConfig {
  const hosts = sandbox.kind === 'own' ? [...sandbox.hosts].map(([name, address]) => `${name}:${address}`) : [];
  return {
    AutoRemove: false,
    NetworkMode: sandbox.kind === 'own' ? 'none' : `container:${sandbox.owner}`,
    PortBindings: {},
    PublishAllPorts: false,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '1' } },
    ...(hosts.length === 0 ? {} : { ExtraHosts: hosts }),
  };
}

function limits(host: HostConfig): Record<string, number> {
  const memory = numberIn(host['Memory']) ?? DEFAULT_MEMORY;
  const quota = numberIn(host['CpuQuota']);
  const cpus: Record<string, number> =
    quota === null
      ? { NanoCpus: numberIn(host['NanoCpus']) ?? DEFAULT_NANO_CPUS }
      : { CpuQuota: quota, CpuPeriod: numberIn(host['CpuPeriod']) ?? 100_000 };
  return {
    Memory: memory,
    MemorySwap: memory,
    ...cpus,
    CpuShares: LOW_CPU_SHARES,
    PidsLimit: Math.min(numberIn(host['PidsLimit']) ?? MOST_PROCESSES, MOST_PROCESSES),
  };
}

/** 0 and below: no limit. */
function numberIn(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}

function fieldOf(host: HostConfig, field: string): [string, unknown][] {
  const value = host[field];
  return value === undefined || value === null ? [] : [[field, value]];
}

/** What can be a name of a host; a name with other characters is reachable by no program. */
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/;

/** Under which names other containers reach a container: its own, its service, its host name and its aliases. Pure. */
export function hostNamesOf(
  container: Pick<ContainerInspect, 'Id' | 'Name' | 'Config' | 'NetworkSettings'>,
  service: string | null,
): string[] {
  const aliases = Object.values(container.NetworkSettings.Networks).flatMap(({ Aliases }) => Aliases ?? []);
  const { Hostname, Domainname } = container.Config;
  const full = Hostname && Domainname ? [`${Hostname}.${Domainname}`] : [];
  const names = [container.Name.replace(/^\//, ''), service, Hostname, ...full, ...aliases];
  const ofEngine = shortId(container.Id);
  return [...new Set(names)].filter((name): name is string => !!name && name !== ofEngine && HOST_NAME.test(name));
}

/** The loopback address of the nth database server of a trial, from 0: each has one of its own, so that ports never clash. */
export function loopbackOf(number: number): string {
  return `127.0.0.${number + 1}`;
}

/** What becomes of one mount of the container in its rehearsal. */
export type TrialMount =
  /** The backup has all of it: an empty volume, filled by the restore. */
  | { kind: 'restored'; path: string }
  /** Not in the backup, and writable: an empty volume with a copy of what is there now. */
  | { kind: 'copied'; path: string }
  /** A folder or file of the host that the container cannot write either: mounted as it is. */
  | { kind: 'read_only'; path: string; source: string };

/** Pure. `restored`: the paths of the container that its backup holds. */
export function trialMounts(mounts: readonly Mount[], restored: readonly string[]): TrialMount[] {
  return mounts
    .filter(({ Type }) => Type !== 'tmpfs')
    .map((mount): TrialMount => {
      const path = cleanPath(mount.Destination);
      if (restored.some((held) => isPathWithin(path, cleanPath(held)))) return { kind: 'restored', path };
      // A volume of other containers may hold the socket of a server, so that no volume is shared.
      if (mount.Type === 'bind' && !mount.RW) return { kind: 'read_only', path, source: mount.Source };
      return { kind: 'copied', path };
    });
}

/** As the create request asks for them. `files`: the paths that are single files, which live in the container's own layer. */
export function mountRequests(mounts: readonly TrialMount[], files: ReadonlySet<string>): HostMount[] {
  return mounts.flatMap((mount): HostMount[] => {
    if (mount.kind === 'read_only') return [{ Type: 'bind', Source: mount.source, Target: mount.path, ReadOnly: true }];
    return files.has(mount.path) ? [] : [{ Type: 'volume', Target: mount.path }];
  });
}
