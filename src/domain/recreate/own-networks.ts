import type { ContainerInspect, CreateRequest, EndpointSettings } from '../engine-inspect';
import { isContainerMode } from '../network/shared-network';
import { shortId } from '../format';
import { isOfPodman } from './own-config';

type Networked = Pick<ContainerInspect, 'Id' | 'Config' | 'HostConfig' | 'NetworkSettings'>;

/** By the name of the network. */
export type Endpoints = Record<string, EndpointSettings>;

/**
 * The network part of a create request: the network of `NetworkMode` goes with the request (older engines take one only),
 * the others are joined before the start. Podman takes all of them, and says `bridge` for each network of that kind: without
 * them in the request, it would join its default network.
 */
export function carriedNetworks(container: Networked): { first: Endpoints; connect: CreateRequest['connect'] } {
  const mode = container.HostConfig.NetworkMode;
  if (sharesNetwork(mode)) return { first: {}, connect: [] };
  const own = ownEndpoints(container);
  if (isOfPodman(container)) return { first: own, connect: [] };
  const all = Object.entries(container.NetworkSettings.Networks);
  const first = all.filter(([name, endpoint]) => isNetworkOfMode(mode, name, endpoint)).map(([name]) => name);
  const connect = all
    .filter(([name]) => !first.includes(name))
    .map(([name]) => ({ network: name, endpoint: own[name] ?? {} }));
  return { first: firstEndpoint(mode, own, first[0]), connect };
}

/** What the operator asked of each network: nothing that the engine made (addresses, gateway, its MAC, ids, short id as alias). */
export function ownEndpoints(container: Networked): Endpoints {
  const networks = Object.entries(container.NetworkSettings.Networks);
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, ownEndpoint(container, name, endpoint)]));
}

/** As `ownEndpoints`, and the network of `NetworkMode` also by the name there (an ID, `default`): a request may use either. */
export function endpointsByAnyName(container: Networked): Endpoints {
  const own = ownEndpoints(container);
  const mode = container.HostConfig.NetworkMode;
  const networks = Object.entries(container.NetworkSettings.Networks);
  const first = networks.find(([name, endpoint]) => isNetworkOfMode(mode, name, endpoint));
  return first === undefined ? own : { ...own, [mode]: own[first[0]] ?? {} };
}

/** `host`, `none` and `container:…`: there is no endpoint of its own to ask for. */
function sharesNetwork(mode: string): boolean {
  return mode === 'host' || mode === 'none' || isContainerMode(mode);
}

function ownEndpoint(container: Networked, name: string, endpoint: EndpointSettings): EndpointSettings {
  const ofEngine = shortId(container.Id);
  const aliases = (endpoint.Aliases ?? []).filter((alias) => alias !== ofEngine);
  const mac = ownMacAddress(container, name, endpoint);
  return {
    ...(isFilled(endpoint.IPAMConfig) ? { IPAMConfig: endpoint.IPAMConfig } : {}),
    ...(isFilled(endpoint.Links) ? { Links: endpoint.Links } : {}),
    ...(isFilled(aliases) ? { Aliases: aliases } : {}),
    ...(isFilled(endpoint.DriverOpts) ? { DriverOpts: endpoint.DriverOpts } : {}),
    ...(endpoint.GwPriority ? { GwPriority: endpoint.GwPriority } : {}),
    ...(mac ? { MacAddress: mac } : {}),
  };
}

/**
 * A MAC address that the operator set: the container's own for its first network, else one that the engine did not derive
 * from the address. An engine that generates random ones (28 and later) reports no difference, so these are kept too.
 */
function ownMacAddress(
  { HostConfig, Config }: Networked,
  name: string,
  endpoint: EndpointSettings,
): string | undefined {
  const { MacAddress: used, IPAddress: address } = endpoint;
  const isFirst = isNetworkOfMode(HostConfig.NetworkMode, name, endpoint);
  if (isFirst && Config.MacAddress) return Config.MacAddress;
  return used && used !== derivedMacAddress(address ?? '') ? used : undefined;
}

/** As moby derives it, up to Engine 27 (libnetwork/netutils). */
function derivedMacAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}

/** Under the very name that `NetworkMode` uses, which may be an id. The default bridge takes an endpoint only if it says something. */
function firstEndpoint(mode: string, own: Endpoints, name: string | undefined): Endpoints {
  const endpoint = name === undefined ? undefined : own[name];
  if (endpoint === undefined) return {};
  const isBare = Object.keys(endpoint).length === 0;
  return isBare && isDefaultBridge(mode) ? {} : { [mode]: endpoint };
}

function isNetworkOfMode(mode: string, name: string, endpoint: EndpointSettings): boolean {
  return name === mode || endpoint.NetworkID === mode || (name === 'bridge' && isDefaultBridge(mode));
}

function isDefaultBridge(mode: string): boolean {
  return mode === 'default' || mode === 'bridge' || mode === '';
}

function isFilled(value: object | null | undefined): boolean {
  return value !== null && value !== undefined && Object.keys(value).length > 0;
}
