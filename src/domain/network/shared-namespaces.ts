import type { ContainerInspect } from '../engine-inspect';

const SHARED = 'container:';
const MODES = { network: 'NetworkMode', pid: 'PidMode', ipc: 'IpcMode' } as const;

/** One namespace that a container shares with another. */
export interface SharedNamespace {
  kind: keyof typeof MODES;
  /** Id or name, as the engine stores it. */
  owner: string;
}

/** The namespaces of others that a container lives in (`network_mode:`, `pid:` or `ipc: "service:x"`). */
export function sharedNamespaces({ HostConfig }: Pick<ContainerInspect, 'HostConfig'>): SharedNamespace[] {
  return Object.entries(MODES).flatMap(([kind, field]) => {
    const mode = HostConfig[field];
    if (typeof mode !== 'string' || !mode.startsWith(SHARED)) return [];
    return [{ kind: kind as SharedNamespace['kind'], owner: mode.slice(SHARED.length) }];
  });
}

/** Which namespaces of `owner` a container lives in. */
export function namespacesOf(
  owner: Pick<ContainerInspect, 'Id' | 'Name'>,
  guest: Pick<ContainerInspect, 'HostConfig'>,
): SharedNamespace['kind'][] {
  return sharedNamespaces(guest)
    .filter(({ owner: named }) => named === owner.Id || named === owner.Name.slice(1) || isShortIdOf(named, owner.Id))
    .map(({ kind }) => kind);
}

function isShortIdOf(named: string, id: string): boolean {
  return /^[0-9a-f]{12,}$/.test(named) && id.startsWith(named);
}

/** The Compose setting of a shared namespace. */
export function settingOf(kind: SharedNamespace['kind']): string {
  return kind === 'network' ? 'network_mode' : kind;
}
