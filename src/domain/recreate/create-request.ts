import { COMPOSE } from '../compose/compose-project';
import type { ContainerInspect, CreateRequest, HostConfig, ImageInspect } from '../engine-inspect';
import { isContainerMode } from '../network/shared-network';
import { ownConfig, type OwnConfig, withoutMadeHostname } from './own-config';
import { carriedMounts } from './own-mounts';
import { carriedNetworks } from './own-networks';
import { shortId } from '../format';

/** Three inspect results, and what the update itself decides. */
export interface CreateRequestInput {
  container: ContainerInspect;
  oldImage: ImageInspect;
  newImage: ImageInspect;
  /** `name:tag` to create by; it becomes `Config.Image`, which Diun reads. */
  reference: string;
  /** Labels that the update itself sets, such as Compose's config hash for a new tag. They win over the carried ones. */
  labels?: Record<string, string>;
  /** To be checked by the engine, where it is not the engine's own. */
  platform?: string | undefined;
}

/**
 * The request that gives the same container on the new image. Three-way: what merely came from the old image is left for
 * the new image to fill in, everything the operator gave is carried ("Recreate, what others got wrong" in docs/research/docker-engine.md).
 * Pure. `compare-containers` proves the result on the created container before it is started.
 */
export function createRequest(input: CreateRequestInput): CreateRequest {
  const { container, oldImage } = input;
  const own = ownConfig(withoutMadeHostname(container).Config, oldImage.Config);
  const networks = carriedNetworks(container);
  return {
    body: {
      ...withoutNetworkFields(own, container.HostConfig),
      ...ownHostname(container),
      ...publishedPorts(container, own),
      Image: input.reference,
      Labels: { ...own.Labels, ...composeImage(input), ...input.labels },
      HostConfig: carriedHostConfig(container),
      NetworkingConfig: { EndpointsConfig: networks.first },
    },
    connect: networks.connect,
    ...(input.platform === undefined ? {} : { platform: input.platform }),
  };
}

/**
 * A hostname that the operator gave. The engine's own is the short id, and in another's namespace it is that one's name,
 * which the engine refuses in a request.
 */
export function ownHostname(container: ContainerInspect): { Hostname?: string } {
  const { Hostname } = container.Config;
  const { NetworkMode, UTSMode } = container.HostConfig;
  const isEngines = !Hostname || Hostname === shortId(container.Id);
  return isEngines || isContainerMode(NetworkMode) || UTSMode === 'host' ? {} : { Hostname };
}

/**
 * Compose's image label for the new image, in the same relation as before: the image id (Compose before 5.5), or a
 * digest of the image's repository (from 5.5 on, the platform manifest's). No label, no change.
 */
export function composeImage({ container, oldImage, newImage }: CreateRequestInput): Record<string, string> {
  const before = container.Config.Labels?.[COMPOSE.image];
  if (before === undefined) return {};
  const wasDigest = before !== oldImage.Id && digestsOf(oldImage).includes(before);
  return { [COMPOSE.image]: (wasDigest ? digestsOf(newImage)[0] : undefined) ?? newImage.Id };
}

function digestsOf(image: ImageInspect): string[] {
  return (image.RepoDigests ?? []).map((name) => name.slice(name.indexOf('@') + 1));
}

/** In another container's namespace the engine refuses ports and names of its own. */
function withoutNetworkFields(own: OwnConfig, host: HostConfig): OwnConfig {
  if (!isContainerMode(host.NetworkMode)) return own;
  const rest = { ...own };
  delete rest.ExposedPorts;
  delete rest.Domainname;
  return rest;
}

/** A published port is the operator's, also where the old image exposed it and the new one does not: the engine binds exposed ports only. */
function publishedPorts(container: ContainerInspect, own: OwnConfig): Pick<OwnConfig, 'ExposedPorts'> {
  if (isContainerMode(container.HostConfig.NetworkMode)) return {};
  const bound = Object.keys(container.HostConfig.PortBindings ?? {});
  const exposed = bound.filter((port) => port in (container.Config.ExposedPorts ?? {})).map((port) => [port, {}]);
  const all = { ...own.ExposedPorts, ...(Object.fromEntries(exposed) as Record<string, object>) };
  return Object.keys(all).length === 0 ? {} : { ExposedPorts: all };
}

/** Carried whole, with volumes by name and links in the form that the engine takes. */
function carriedHostConfig(container: ContainerInspect): HostConfig {
  const host = container.HostConfig;
  const links = (host.Links ?? []).map(linkRequest);
  return { ...host, ...carriedMounts(container), Links: links };
}

/** Inspect says `/db:/web/alias`, a request says `db:alias` (moby, daemon/links). */
export function linkRequest(link: string): string {
  const [target = '', alias = target] = link.split(':');
  return `${lastPart(target)}:${lastPart(alias)}`;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
