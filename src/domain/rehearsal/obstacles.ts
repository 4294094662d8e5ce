import type { ContainerInspect, HostConfig, Mount } from '../engine-inspect';

/** Of the engine: what every container may do. More than these is a privilege. */
const DEFAULT_CAPABILITIES = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'NET_RAW'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);
/** Folders of the host that hold sockets, devices or the engine itself. */
const OF_THE_HOST = ['/dev', '/proc', '/sys', '/run', '/var/run', '/boot', '/var/lib/docker', '/var/lib/containerd'];

/**
 * Why a container cannot be tried in isolation: it needs something of its host that a rehearsal must not have. Null:
 * nothing is known that prevents it. Pure.
 */
export function obstacleTo({
  HostConfig: host,
  Mounts,
}: Pick<ContainerInspect, 'HostConfig' | 'Mounts'>): string | null {
  return privilege(host) ?? device(host) ?? hostNamespace(host) ?? mountOfHost(Mounts);
}

function privilege(host: HostConfig): string | null {
  if (host['Privileged'] === true) return 'it is privileged';
  const added = textsIn(host['CapAdd']).map((name) => name.toUpperCase().replace(/^CAP_/, ''));
  const more = added.find((name) => !DEFAULT_CAPABILITIES.has(name));
  if (more !== undefined) return `it has the capability ${more}`;
  const unconfined = textsIn(host['SecurityOpt']).find((option) => /(?:unconfined|label[=:]disable)$/.test(option));
  return unconfined === undefined ? null : `it runs with the security option ${unconfined}`;
}

function device(host: HostConfig): string | null {
  const fields = ['Devices', 'DeviceRequests', 'DeviceCgroupRules'];
  return fields.some((field) => listIn(host[field]).length > 0) ? 'it uses a device of the host' : null;
}

function hostNamespace(host: HostConfig): string | null {
  if (host.NetworkMode === 'host') return 'it uses the network of the host';
  for (const [field, what] of [
    ['PidMode', 'processes'],
    ['IpcMode', 'shared memory'],
    ['UTSMode', 'host name'],
    ['UsernsMode', 'users'],
  ] as const) {
    const mode = host[field];
    if (mode === 'host') return `it uses the ${what} of the host`;
    if (typeof mode === 'string' && mode.startsWith('container:')) return `it uses the ${what} of another container`;
  }
  return null;
}

function mountOfHost(mounts: readonly Mount[]): string | null {
  for (const { Type, Source, Destination, Propagation } of mounts) {
    if (!['bind', 'volume', 'tmpfs'].includes(Type)) return `${Destination} is a mount of the type ${Type}`;
    if (Type !== 'bind') continue;
    if (/\.sock$/.test(Source)) return `it mounts the socket ${Source}`;
    if (Source === '/' || OF_THE_HOST.some((folder) => Source === folder || Source.startsWith(`${folder}/`)))
      return `it mounts ${Source} of the host`;
    if (Propagation !== undefined && /^r?shared$/.test(Propagation)) return `${Destination} is shared with the host`;
  }
  return null;
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsIn(value: unknown): string[] {
  return listIn(value).filter((each) => typeof each === 'string');
}
