import type { ContainerInspect, CreateRequest, HostConfig, HostMount, ImageInspect } from '../engine-inspect';

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
  return { Memory: memory, MemorySwap: memory, ...cpus, CpuShares: LOW_CPU_SHARES, PidsLimit: pidsOf(host) };
}

function pidsOf(host: HostConfig): number {
  return Math.min(numberIn(host['PidsLimit']) ?? MOST_PROCESSES, MOST_PROCESSES);
}

/** 0 and below: no limit. */
function numberIn(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}

function fieldOf(host: HostConfig, field: string): [string, unknown][] {
  const value = host[field];
  return value === undefined || value === null ? [] : [[field, value]];
}
