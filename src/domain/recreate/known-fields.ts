import type { ContainerInspect } from '../engine-inspect';
import { normalise } from './compare-containers';

/**
 * The fields of the Engine API up to version 1.56 that are carried over to the new container, or are known to come from the
 * engine or the image. A newer engine may report others, and their meaning is unknown here.
 */
export const CONFIG_FIELDS = words(`
  Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Healthcheck
  ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels StopSignal StopTimeout Shell`);

const HEALTHCHECK = words('Test Interval Timeout Retries StartPeriod StartInterval');

export const HOST_CONFIG_FIELDS = words(`
  CpuShares Memory CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps
  BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices
  DeviceCgroupRules DeviceRequests KernelMemory KernelMemoryTCP MemoryReservation MemorySwap MemorySwappiness NanoCpus
  OomKillDisable Init PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth Binds ContainerIDFile
  LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom Mounts ConsoleSize Annotations
  CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode
  Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls Runtime
  Isolation MaskedPaths ReadonlyPaths Umask`);

const MOUNT = words(
  'Type Source Target ReadOnly Consistency BindOptions VolumeOptions TmpfsOptions ImageOptions ClusterOptions',
);
const MOUNT_TYPES = words('bind volume tmpfs image npipe cluster');

const ENDPOINT = words(`
  IPAMConfig Links MacAddress Aliases NetworkID EndpointID Gateway IPAddress IPPrefixLen IPv6Gateway GlobalIPv6Address
  GlobalIPv6PrefixLen DriverOpts DNSNames GwPriority`);
const IPAM = words('IPv4Address IPv6Address LinkLocalIPs');

/** Fields of a container that say something and are not known here, as `HostConfig.Umask`. */
export function unknownFields(container: ContainerInspect): string[] {
  const { Config, HostConfig, NetworkSettings } = container;
  return [
    ...unknownIn('Config', Config, CONFIG_FIELDS),
    ...unknownIn('Config.Healthcheck', Config.Healthcheck, HEALTHCHECK),
    ...unknownIn('HostConfig', HostConfig, HOST_CONFIG_FIELDS),
    ...(HostConfig.Mounts ?? []).flatMap((mount) => [
      ...unknownIn(`HostConfig.Mounts ${mount.Target}`, mount, MOUNT),
      ...(MOUNT_TYPES.has(mount.Type) ? [] : [`HostConfig.Mounts ${mount.Target}: type ${mount.Type}`]),
    ]),
    ...Object.entries(NetworkSettings.Networks).flatMap(([network, endpoint]) => [
      ...unknownIn(`Networks ${network}`, endpoint, ENDPOINT),
      ...unknownIn(`Networks ${network} IPAMConfig`, endpoint.IPAMConfig, IPAM),
    ]),
  ];
}

function unknownIn(where: string, fields: object | null | undefined, known: ReadonlySet<string>): string[] {
  return Object.entries(fields ?? {})
    .filter(([field, value]) => !known.has(field) && normalise(value) !== undefined)
    .map(([field]) => `${where}.${field}`);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
