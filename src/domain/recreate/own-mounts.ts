import { posix } from 'node:path';
import type { ContainerInspect, HostConfig, HostMount, ImageInspect, Mount } from '../engine-inspect';

/**
 * The mount part of a create request that gives a new container the very same volumes: anonymous ones too, by the name that
 * the engine gave them (inspect's `Mounts`). A request that names none for a declared volume would get a new, empty one.
 */
export function carriedMounts(container: ContainerInspect): Pick<HostConfig, 'Binds' | 'Mounts'> {
  const binds = (container.HostConfig.Binds ?? []).map((bind) => withVolumeName(bind, container.Mounts));
  const mounts = (container.HostConfig.Mounts ?? []).map((mount) => withSource(mount, container.Mounts));
  const covered = new Set([...binds.map(bindDestination), ...mounts.map((mount) => cleanPath(mount.Target))]);
  const rest = container.Mounts.filter(
    (mount) => !covered.has(cleanPath(mount.Destination)) && isItsOwn(mount, container),
  );
  return { Binds: [...binds, ...rest.map(asBind)], Mounts: mounts };
}

/** Where a bind of `HostConfig.Binds` (`SOURCE:DEST[:OPTIONS]`, or `DEST` alone for an anonymous volume) is mounted. */
export function bindDestination(bind: string): string {
  const parts = bind.split(':');
  return cleanPath((parts.length === 1 ? parts[0] : parts[1]) ?? '');
}

/** As the engine compares destinations: no trailing slash, no `.` or `..`. */
export function cleanPath(path: string): string {
  return posix.resolve('/', path);
}

/** Whether a path is the folder or in it. The texts are compared: both must be clean. */
export function isPathWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

/**
 * Whether a mount that neither Binds nor Mounts request is the container's own volume. One that comes by VolumesFrom is
 * left to it, unless the container declares a volume there: then it is unknown which of the two it was, and the name is safe.
 */
function isItsOwn(mount: Mount, container: ContainerInspect): boolean {
  if (mount.Type !== 'volume' || !mount.Name) return false;
  const declared = Object.keys(container.Config.Volumes ?? {}).some(
    (path) => cleanPath(path) === cleanPath(mount.Destination),
  );
  return declared || (container.HostConfig.VolumesFrom ?? []).length === 0;
}

function asBind(mount: Mount): string {
  return `${mount.Name}:${mount.Destination}${mount.RW ? '' : ':ro'}`;
}

function withVolumeName(bind: string, mounts: Mount[]): string {
  if (bind.includes(':')) return bind;
  const name = volumeAt(bind, mounts);
  return name === undefined ? bind : `${name}:${bind}`;
}

function withSource(mount: HostMount, mounts: Mount[]): HostMount {
  if (mount.Type !== 'volume' || mount.Source) return mount;
  const name = volumeAt(mount.Target, mounts);
  return name === undefined ? mount : { ...mount, Source: name };
}

function volumeAt(path: string, mounts: Mount[]): string | undefined {
  return mounts.find((mount) => mount.Type === 'volume' && cleanPath(mount.Destination) === cleanPath(path))?.Name;
}

/**
 * Where a new container of the image would have a volume of its own, and this container has no mount: the image declares it.
 * Left out is one above `within`, a folder on a mount of its own: it would hold nothing else. Absolute paths. Pure.
 */
export function newVolumes(
  { Mounts, HostConfig }: Pick<ContainerInspect, 'Mounts' | 'HostConfig'>,
  { Config }: Pick<ImageInspect, 'Config'>,
  within?: string,
): string[] {
  // `Mounts` does not list `HostConfig.Tmpfs` (`--tmpfs`, `tmpfs:` of Compose).
  const mounted = [...Mounts.map(({ Destination }) => Destination), ...Object.keys(HostConfig.Tmpfs ?? {})];
  const had = new Set(mounted.map(cleanPath));
  const declared = Object.keys(Config?.Volumes ?? {}).map(cleanPath);
  return declared.filter((path) => !had.has(path) && within?.startsWith(`${path}/`) !== true);
}

/** The container that one entry of `VolumesFrom` (`ID`, `NAME:ro`) names. */
export function sourceOf(entry: string): string {
  return entry.split(':')[0] ?? entry;
}

/**
 * The same container without the entries of `VolumesFrom` whose container is gone: Compose stores an ID, which an update of
 * that container replaces. What they brought is mounted here under its own name, so nothing is lost.
 */
export function withVolumesOf(container: ContainerInspect, gone: ReadonlySet<string>): ContainerInspect {
  const entries = container.HostConfig.VolumesFrom ?? [];
  const left = entries.filter((entry) => !gone.has(sourceOf(entry)));
  if (left.length === entries.length) return container;
  const HostConfig: HostConfig = {
    ...container.HostConfig,
    VolumesFrom: left.length === 0 ? null : left,
    Binds: [...(container.HostConfig.Binds ?? []), ...inherited(container).map(inheritedBind)],
  };
  return { ...container, HostConfig };
}

/** Mounts that neither Binds, Mounts, Tmpfs nor a declared volume ask for. */
function inherited({ Mounts, HostConfig, Config }: ContainerInspect): Mount[] {
  const own = new Set([
    ...(HostConfig.Binds ?? []).map(bindDestination),
    ...(HostConfig.Mounts ?? []).map(({ Target }) => cleanPath(Target)),
    ...Object.keys(Config.Volumes ?? {}).map(cleanPath),
  ]);
  return Mounts.filter(({ Type, Destination }) => Type !== 'tmpfs' && !own.has(cleanPath(Destination)));
}

function inheritedBind({ Type, Name, Source, Destination, RW, Propagation }: Mount): string {
  const from = Type === 'volume' ? (Name ?? Source) : Source;
  const options = [RW ? 'rw' : 'ro', ...(Type === 'bind' && Propagation ? [Propagation] : [])];
  return `${from}:${Destination}:${options.join(',')}`;
}
