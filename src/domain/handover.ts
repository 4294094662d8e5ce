import type { ContainerInspect } from './engine-inspect';
import type { ContainerLabels, ProbeSpec } from './labels/container-labels';
import { networkOwner } from './network/shared-network';
import { ownEndpoints } from './recreate/own-networks';

type Looked = Pick<ContainerInspect, 'Id' | 'Config' | 'HostConfig' | 'Mounts' | 'NetworkSettings'>;

/**
 * Why a new container cannot run next to this one, as text with the remedy; null: it can. Two containers of a
 * handover run at once, so they must share nothing that only one can have: ports, an address, data.
 */
export function whyNoHandover(
  container: Looked,
  is: { backup: ContainerLabels['backup']; database: boolean },
): string | null {
  if (is.database) return 'a database is not stateless';
  if (is.backup !== null) return 'a container with backup.kind is not stateless';
  return whyNotWritten(container) ?? whyNotNetwork(container);
}

/**
 * What the new one is asked while the old one still serves: only what the new one alone can answer. In a shared network
 * namespace a port may be answered by either, so there Docker's own state must do; `exec` and the like are asked inside.
 */
export function canaryProbe(probe: ProbeSpec, container: Pick<ContainerInspect, 'HostConfig'>): ProbeSpec {
  const overNetwork = probe.kind === 'http' || probe.kind === 'tcp' || probe.kind === 'gitea';
  return overNetwork && sharesPorts(container) ? { kind: 'docker' } : probe;
}

const SHELLS = /(?:^|\/)(?:sh|bash|ash|dash|zsh|busybox)$/;
const HANDS_ON = /(?:^|[;&\s])exec\s/;

/**
 * Whether the main process is a shell that runs the server as its child: it does not pass the stop signal on, so a handover
 * ends with a killed server. A script file is not read here; it may use `exec`.
 */
export function runsUnderShell({ Config }: Pick<ContainerInspect, 'Config'>): boolean {
  const command = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
  const at = command.findIndex((word, index) => SHELLS.test(word) && command[index + 1] === '-c');
  return at >= 0 && !HANDS_ON.test(command[at + 2] ?? '');
}

function whyNotWritten({ Mounts }: Pick<ContainerInspect, 'Mounts'>): string | null {
  const written = Mounts.filter(({ Type, RW }) => RW && Type !== 'tmpfs').map(({ Destination }) => Destination);
  if (written.length === 0) return null;
  return `two containers must not write to ${written.sort().join(', ')} at once: mount it read-only (:ro)`;
}

/** An engine that generates random ones gives one to each container that runs (`domain/recreate/own-networks`). */
const SAME_MAC =
  'two containers cannot have the same MAC address, and Docker Engine 28 and later, as Podman, do not show whether you set it or they generated it: let a small container own the network, and join it (network_mode: "service:edge")';

function whyNotNetwork(container: Looked): string | null {
  if (sharesPorts(container)) return null;
  const { PortBindings, PublishAllPorts } = container.HostConfig;
  if (Object.keys(PortBindings ?? {}).length > 0 || PublishAllPorts === true) {
    return 'two containers cannot publish the same ports: let a small container own them, and join it (network_mode: "service:edge")';
  }
  const fixed = Object.values(container.NetworkSettings.Networks).find(({ IPAMConfig: own }) =>
    Boolean(own?.IPv4Address ?? own?.IPv6Address),
  );
  if (fixed !== undefined) return 'two containers cannot have the same fixed address';
  const hasMac = Object.values(ownEndpoints(container)).some(({ MacAddress }) => MacAddress);
  return hasMac ? SAME_MAC : null;
}

/** Whether two containers of this set-up listen in one namespace (`listen … reuseport`). */
function sharesPorts(container: Pick<ContainerInspect, 'HostConfig'>): boolean {
  return container.HostConfig.NetworkMode === 'host' || networkOwner(container) !== null;
}
