import type { ContainerInspect } from '../engine-inspect';

const SHARED = 'container:';

/** Whether a `NetworkMode` is that of a container in the network of another (`container:ID`). */
export function isContainerMode(mode: string): boolean {
  return mode.startsWith(SHARED);
}

/** Id (or name) of the container whose network namespace this one lives in (`network_mode: "service:edge"`); null: its own. */
export function networkOwner({
  HostConfig: { NetworkMode: mode },
}: Pick<ContainerInspect, 'HostConfig'>): string | null {
  return isContainerMode(mode) ? mode.slice(SHARED.length) : null;
}

/**
 * A container that lives in the network of another and has lost it. `left_behind`: the owner was started again, and the
 * guest runs on in a namespace that no longer has ports, or could not join it while the owner was down; a restart joins it
 * again. `orphaned`: the owner is gone, and what took its place has another id, which no restart can join.
 */
export type LostGuest =
  | { kind: 'left_behind'; guest: ContainerInspect; owner: ContainerInspect }
  | { kind: 'orphaned'; guest: ContainerInspect };

/** The engine's words for a start that the owner's absence made fail (moby, daemon/container_operations.go). */
const COULD_NOT_JOIN = /cannot join network of a non running container|No such container: [0-9a-f]{12}/;

/** Pure. Who was stopped by a person, or waits for an owner that is down, is not lost. */
export function lostGuests(all: readonly ContainerInspect[]): LostGuest[] {
  return all.flatMap((guest): LostGuest[] => {
    const ownerId = networkOwner(guest);
    if (ownerId === null || !wantsToRun(guest)) return [];
    const owner = all.find(({ Id, Name }) => Id === ownerId || Name === `/${ownerId}`);
    if (owner === undefined) return [{ kind: 'orphaned', guest }];
    return isRunning(owner) && wasLeftBehind(guest, owner) ? [{ kind: 'left_behind', guest, owner }] : [];
  });
}

function wasLeftBehind(guest: ContainerInspect, owner: ContainerInspect): boolean {
  return !guest.State.Running || isBefore(guest.State.StartedAt, owner.State.StartedAt);
}

/** Whether the engine's words say that a container did not start for want of the network that it lives in. */
export function couldNotJoin(words: string): boolean {
  return COULD_NOT_JOIN.test(words);
}

function wantsToRun({ State }: ContainerInspect): boolean {
  return State.Running || couldNotJoin(State.Error);
}

function isRunning({ State }: ContainerInspect): boolean {
  return State.Running && !State.Restarting;
}

/** RFC 3339 with up to nine digits of a second, of which a Date keeps three. */
function isBefore(one: string, other: string): boolean {
  const [first, second] = [Date.parse(one), Date.parse(other)];
  return first === second ? fraction(one) < fraction(other) : first < second;
}

function fraction(time: string): string {
  return (/\.(\d+)Z$/.exec(time)?.[1] ?? '').padEnd(9, '0');
}

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

/** Whether a container reaches `owner` by `--link`. The engine links to the very container, also where another takes its name. */
export function linksTo(owner: Pick<ContainerInspect, 'Name'>, guest: Pick<ContainerInspect, 'HostConfig'>): boolean {
  return (guest.HostConfig.Links ?? []).some((link) => link.split(':')[0] === owner.Name);
}

function isShortIdOf(named: string, id: string): boolean {
  return /^[0-9a-f]{12,}$/.test(named) && id.startsWith(named);
}

/** The Compose setting of a shared namespace. */
export function settingOf(kind: SharedNamespace['kind']): string {
  return kind === 'network' ? 'network_mode' : kind;
}
