import type { ContainerInspect, CreateRequest, EndpointSettings } from '../engine-inspect';
import { isContainerMode } from '../network-owner';

/** By the name of the network. */
export type Endpoints = Record<string, EndpointSettings>;

/**
 * The network part of a create request: the network of `NetworkMode` goes with the request (older engines take one only),
 * the others are joined before the start.
 */
export function carriedNetworks(container: ContainerInspect): { first: Endpoints; connect: CreateRequest['connect'] } {
  const mode = container.HostConfig.NetworkMode;
  if (sharesNetwork(mode)) return { first: {}, connect: [] };
  const all = Object.entries(container.NetworkSettings.Networks);
  const first = all.filter(([name, endpoint]) => isNetworkOfMode(mode, name, endpoint)).map(([name]) => name);
  const own = ownEndpoints(container);
  const connect = all
    .filter(([name]) => !first.includes(name))
    .map(([name]) => ({ network: name, endpoint: own[name] ?? {} }));
  return { first: firstEndpoint(mode, own, first[0]), connect };
}

/** What the operator asked of each network: nothing that the engine made (addresses, gateway, MAC, ids, short id as alias). */
export function ownEndpoints(container: ContainerInspect): Endpoints {
  const networks = Object.entries(container.NetworkSettings.Networks);
  return Object.fromEntries(networks.map(([name, endpoint]) => [name, ownEndpoint(container, name, endpoint)]));
}

/** `host`, `none` and `container:…`: there is no endpoint of its own to ask for. */
function sharesNetwork(mode: string): boolean {
  return mode === 'host' || mode === 'none' || isContainerMode(mode);
}

function ownEndpoint(container: ContainerInspect, name: string, endpoint: EndpointSettings): EndpointSettings {
  const shortId = container.Id.slice(0, 12);
  const aliases = (endpoint.Aliases ?? []).filter((alias) => alias !== shortId);
  const mac = isNetworkOfMode(container.HostConfig.NetworkMode, name, endpoint)
    ? container.Config.MacAddress
    : undefined;
  return {
    ...(isFilled(endpoint.IPAMConfig) ? { IPAMConfig: endpoint.IPAMConfig } : {}),
    ...(isFilled(endpoint.Links) ? { Links: endpoint.Links } : {}),
    ...(isFilled(aliases) ? { Aliases: aliases } : {}),
    ...(isFilled(endpoint.DriverOpts) ? { DriverOpts: endpoint.DriverOpts } : {}),
    ...(endpoint.GwPriority ? { GwPriority: endpoint.GwPriority } : {}),
    ...(mac ? { MacAddress: mac } : {}),
  };
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
