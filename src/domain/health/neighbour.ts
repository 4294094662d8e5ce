import { COMPOSE } from '../compose/compose-project';
import type { EndpointSettings } from '../engine-inspect';
import type { ProxiedSite } from '../nginx/nginx-sites';
import { shortId } from '../format';

/**
 * A running container next to the one that is updated, as it was before anything was stopped. If it responded then, it must
 * respond after the update, too.
 */
export interface Neighbour {
  id: string;
  name: string;
  /** Its service directly depends on that of the updated container. */
  depends: boolean;
  /** By `restart: true` of its `depends_on`: it is restarted, or reloaded if it is an nginx. */
  ordered: boolean;
  /** It passed its own health check. */
  well: boolean;
  /** Null: it is not an nginx. */
  nginx: Front | null;
  /** It was, or is being, restarted or reloaded by this update. Written before the act. */
  touched?: true;
}

/** An nginx, as far as it passes requests to containers that the update replaces, stops or restarts. */
export interface Front {
  /** Its configuration passed `nginx -T`, so that it can be reloaded. */
  readable: boolean;
  /** Names of those containers. It keeps their addresses from when it loaded its configuration. */
  upstreams: string[];
  /** Requests that were answered before the update with anything but 502 or 504. */
  sites: ProxiedSite[];
}

/** What is next to a container, before its update. */
export interface Neighbourhood {
  neighbours: Neighbour[];
  /** Addresses of the containers that the update replaces, stops or restarts, by name. */
  addresses: Record<string, string[]>;
}

interface Named {
  Id: string;
  Name: string;
  Config: { Labels?: Record<string, string> | null };
  NetworkSettings: { Networks: Record<string, EndpointSettings> };
}

/** All its addresses in all its networks, sorted. Empty: it does not run, or has no network of its own. */
export function addressesIn({ NetworkSettings: { Networks } }: Pick<Named, 'NetworkSettings'>): string[] {
  return Object.values(Networks)
    .flatMap(({ IPAddress, GlobalIPv6Address }) => [IPAddress ?? '', GlobalIPv6Address ?? ''])
    .filter((address) => address !== '')
    .sort();
}

/** Every name and address by which another container can reach it. */
export function namesIn(container: Named): string[] {
  const endpoints = Object.values(container.NetworkSettings.Networks);
  const aliases = endpoints.flatMap(({ Aliases, DNSNames }) => [
    ...(Aliases ?? []),
    ...((DNSNames as string[] | null | undefined) ?? []),
  ]);
  // Compose gives each container its service's name as an alias, which the engine's list leaves out.
  const service = container.Config.Labels?.[COMPOSE.service] ?? '';
  const own = [container.Name.slice(1), shortId(container.Id), service];
  return [...own, ...aliases, ...addressesIn(container)].filter((name) => name !== '');
}

/** What is done about them after the update, one clause each. */
export function neighbourTexts(neighbours: readonly Neighbour[]): string[] {
  const ordered = neighbours.filter((each) => each.ordered);
  const reloaded = ordered.filter(({ nginx }) => nginx !== null).map(({ name }) => name);
  const restarted = ordered.filter(({ nginx }) => nginx === null).map(({ name }) => name);
  const checked = neighbours.filter(({ ordered: is, well, nginx }) => !is && (well || (nginx?.sites.length ?? 0) > 0));
  const names = checked.map(({ name }) => name);
  return [
    ...(reloaded.length === 0 ? [] : [`${reloaded.join(', ')} will be reloaded (depends_on with restart: true)`]),
    ...(restarted.length === 0 ? [] : [`${restarted.join(', ')} will be restarted (depends_on with restart: true)`]),
    ...(names.length === 0 ? [] : [`${names.join(', ')} must respond afterwards as before`]),
  ];
}
