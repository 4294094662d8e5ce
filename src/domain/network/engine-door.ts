import { isIP } from 'node:net';
import { COMPOSE } from '../compose/compose-project';
import type { ContainerSnapshot } from '../engine-inspect';
import { shortId } from '../format';

/** Where this process reaches the engine over a network. */
export interface EngineDoor {
  host: string;
  port: string;
  /** Names of the networks of the container this process runs in; null: it runs in none. */
  networks: readonly string[] | null;
}

/**
 * Whether a container is the socket proxy that `DOCKER_HOST` names: by its name, an alias or an address in a network that
 * this process shares, or, from the host, by a port that it publishes. If it stops, no update can be finished.
 */
export function isEngineDoor(container: ContainerSnapshot, { host, port, networks }: EngineDoor): boolean {
  if (networks === null) return isOfThisHost(host) && publishes(container, port);
  const endpoints = Object.entries(container.NetworkSettings.Networks)
    .filter(([network]) => networks.includes(network))
    .map(([, endpoint]) => endpoint);
  // Compose gives each container its service's name as an alias, which the engine's list leaves out.
  const service = container.Config.Labels?.[COMPOSE.service];
  const names = [container.Name.slice(1), shortId(container.Id), container.Config.Hostname, service];
  return endpoints.some((endpoint) =>
    [
      ...names,
      ...(endpoint.Aliases ?? []),
      ...((endpoint.DNSNames as string[] | null | undefined) ?? []),
      endpoint.IPAddress,
      endpoint.GlobalIPv6Address,
    ].includes(host.replace(/^\[|\]$/g, '')),
  );
}

function isOfThisHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
}

function publishes({ HostConfig }: ContainerSnapshot, port: string): boolean {
  const bindings = Object.values(HostConfig.PortBindings ?? {}) as ({ HostPort?: string }[] | null)[];
  return bindings.flatMap((bound) => bound ?? []).some(({ HostPort }) => HostPort === port);
}
