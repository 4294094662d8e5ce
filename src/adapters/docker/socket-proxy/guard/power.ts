import type { ContainerInspect, HostConfig, Mount } from '../../../../domain/engine-inspect';
import { cleanPath, isPathWithin } from '../../../../domain/recreate/own-mounts';
import type { Sight } from './family';

/** Added capabilities with which a process stays inside its container. */
const CONTAINED = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'NET_RAW'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT', 'NET_ADMIN', 'NET_BROADCAST', 'IPC_LOCK', 'SYS_NICE'],
  ...['SYS_RESOURCE', 'LEASE', 'WAKE_ALARM', 'BLOCK_SUSPEND'],
]);
/** Devices without which many containers do not run, and through which none reaches a disk or memory. */
const HARMLESS_DEVICES = /^\/dev\/(?:dri(?:\/|$)|net\/tun$|snd(?:\/|$)|video\d+$|tty(?:USB|ACM)\d+$|null$|zero$)/;
const LETS_ENCRYPT = '/etc/letsencrypt';
/** Who can write there, or read all of it, is root: each with all that is in it. */
const HOSTS_OWN = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys', '/usr'],
  ...['/var/lib/containerd', '/var/lib/docker', '/var/lib/systemd', '/var/run', '/var/spool', '/snap'],
];
/**
 * Of those, what services usually have of their own, and who reads them is not root. Who writes them may be: the host runs hooks of
 * certbot, modules of nginx, and scripts of packages that are there.
 */
const READABLE = [
  ...['/etc/ca-certificates', LETS_ENCRYPT, '/etc/nginx', '/etc/ssl', '/usr/share', '/usr/local/share', '/usr/src'],
];
/** Files that everyone on a host can read. */
const READABLE_FILES = [
  ...['/etc/group', '/etc/hostname', '/etc/hosts', '/etc/localtime', '/etc/machine-id', '/etc/passwd', '/etc/timezone'],
];
/** No process of root runs what is there. */
const WRITABLE = ['/etc/gitea'];

/** Mounts of a container through which its host is reached, by their place in the container. */
export interface Power {
  /** As text, such as `it is privileged`. */
  why: string;
  mounts: string[];
  /** Only by the certificates of the host, which a certbot writes: they may be read, and renewed by its own command. */
  isCertbots: boolean;
}

/**
 * Whether root inside a container is root of its host, as the operator created it. Such a container may be replaced by the same,
 * but no command and no file is put into it. Null: it is contained.
 */
export async function powerOf(
  container: ContainerInspect,
  sight: Pick<Sight, 'volume' | 'dataRoot'>,
): Promise<Power | null> {
  const dataRoot = container.Mounts.length === 0 ? null : await sight.dataRoot();
  const mounts: string[] = [];
  let why = powerOfHostConfig(container.HostConfig);
  let isCertbots = why === null;
  for (const mount of container.Mounts) {
    const source = await hostFolderOf(mount, sight);
    if (source === null || !reachesHost(source, mount.RW !== false, dataRoot)) continue;
    mounts.push(cleanPath(mount.Destination));
    why ??= `it mounts ${source} of the host`;
    isCertbots &&= isPathWithin(cleanPath(source), LETS_ENCRYPT);
  }
  return why === null ? null : { why, mounts, isCertbots };
}

async function hostFolderOf({ Type, Name, Source }: Mount, sight: Pick<Sight, 'volume'>): Promise<string | null> {
  if (Type === 'bind') return Source;
  if (Type !== 'volume' || !Name) return null;
  const options = (await sight.volume(Name))?.Options ?? {};
  const isFolder = /\bbind\b/.test(options['o'] ?? '') || options['type'] === 'none';
  return isFolder || options['device']?.startsWith('/') ? (options['device'] ?? '/') : null;
}

/** Pure. A folder above one of the host's own reaches it, too. `dataRoot`: of the engine, which has all files of all containers. */
export function reachesHost(source: string, isWritable: boolean, dataRoot: string | null = null): boolean {
  const path = cleanPath(source);
  if (dataRoot !== null && (isPathWithin(path, cleanPath(dataRoot)) || isPathWithin(cleanPath(dataRoot), path)))
    return true;
  if (/\.sock(?:et)?$|^\/home(?:\/[^/]+)?$|\/\.ssh(?:\/|$)/.test(path)) return true;
  if (WRITABLE.some((folder) => isPathWithin(path, folder))) return false;
  const isRead = READABLE_FILES.includes(path) || READABLE.some((folder) => isPathWithin(path, folder));
  if (isRead && !isWritable) return false;
  return HOSTS_OWN.some((folder) => isPathWithin(path, folder) || isPathWithin(folder, path));
}

function powerOfHostConfig(host: HostConfig): string | null {
  if (host['Privileged'] === true) return 'it is privileged';
  const capability = texts(host['CapAdd'])
    .map((name) => name.toUpperCase().replace(/^CAP_/, ''))
    .find((name) => !CONTAINED.has(name));
  if (capability !== undefined) return `it has the capability ${capability}`;
  const option = texts(host['SecurityOpt']).find((one) => /(?:unconfined|label[=:]disable)$/.test(one));
  if (option !== undefined) return `it runs with the security option ${option}`;
  for (const field of ['MaskedPaths', 'ReadonlyPaths'])
    if (Array.isArray(host[field]) && host[field].length === 0) return `it has no ${field}`;
  return powerOfDevices(host) ?? powerOfNamespaces(host);
}

function powerOfDevices(host: HostConfig): string | null {
  const devices = (Array.isArray(host['Devices']) ? host['Devices'] : []) as { PathOnHost?: string }[];
  const device = devices.find(({ PathOnHost }) => !HARMLESS_DEVICES.test(PathOnHost ?? ''));
  if (device !== undefined) return `it uses the device ${device.PathOnHost}`;
  return texts(host['DeviceCgroupRules']).length === 0 ? null : 'it has rules for devices of the host';
}

function powerOfNamespaces(host: HostConfig): string | null {
  for (const field of ['PidMode', 'IpcMode']) {
    const mode = host[field];
    if (typeof mode === 'string' && (mode === 'host' || mode.startsWith('container:')))
      return `its ${field} is ${mode}`;
  }
  return null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
