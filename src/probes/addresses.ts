import type { ContainerInspect } from '../domain/engine-inspect';
import { networkOwner } from '../domain/network/network-owner';
import type { Engine } from '../ports/engine';

/**
 * Addresses at which this process may reach a container: its own, or those of the container whose network it shares.
 * On the host's network that is loopback, which only helps a diun-pilot that runs there too.
 */
export async function addressesOf(engine: Engine, container: ContainerInspect): Promise<string[]> {
  if (container.HostConfig.NetworkMode === 'host') return ['127.0.0.1'];
  const owner = networkOwner(container);
  const endpoints = owner === null ? container : await engine.inspectContainer(owner);
  return Object.values(endpoints.NetworkSettings.Networks)
    .map((network) => network.IPAddress ?? '')
    .filter((address) => address !== '');
}
