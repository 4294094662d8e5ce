import type { Deps } from '../deps';
import type { ContainerInspect, EndpointSettings } from '../domain/engine-inspect';
import { codeOf } from '../domain/errors';
import { networkOwner } from '../domain/network/shared-network';
import type { Engine } from '../ports/engine';

/** `host`: in the network of the engine's host; else the networks in which it has an address, by name. */
type NetworkPlace = 'host' | Readonly<Record<string, EndpointSettings>>;

/**
 * IP addresses at which this process reaches the container, and never another process: those in networks that both have (in
 * a shared network namespace, those of its owner), and loopback where both are on the host's network. Empty: it can only be
 * asked inside. Rejects with `container_not_found` if the owner of its network is gone.
 */
export async function addressesOf(
  { engine, selfId }: Pick<Deps, 'engine' | 'selfId'>,
  container: ContainerInspect,
): Promise<string[]> {
  const own = await ownPlace(engine, selfId);
  if (own === null) return [];
  const place = await networkPlaceOf(engine, container);
  if (place === 'host') return own === 'host' ? ['127.0.0.1'] : [];
  return Object.entries(place)
    .filter(([network]) => own === 'host' || network in own)
    .map(([, { IPAddress = '' }]) => IPAddress)
    .filter((address) => address !== '');
}

/** Null: not known, as for a container of another engine, or with an engine that is reached over a network. */
async function ownPlace(engine: Engine, selfId: string | null): Promise<NetworkPlace | null> {
  if (selfId === null) return engine.address === null ? 'host' : null;
  try {
    return await networkPlaceOf(engine, await engine.inspectContainer(selfId));
  } catch (error) {
    if (codeOf(error) !== 'container_not_found') throw error;
    return null;
  }
}

async function networkPlaceOf(engine: Engine, container: ContainerInspect): Promise<NetworkPlace> {
  const owner = networkOwner(container);
  const { HostConfig, NetworkSettings } = owner === null ? container : await engine.inspectContainer(owner);
  return HostConfig.NetworkMode === 'host' ? 'host' : NetworkSettings.Networks;
}
