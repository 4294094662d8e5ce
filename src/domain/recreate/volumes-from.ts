import type { ContainerInspect, HostConfig, Mount } from '../engine-inspect';
import { bindDestination, cleanPath } from './own-mounts';

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
    Binds: [...(container.HostConfig.Binds ?? []), ...inherited(container).map(asBind)],
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

function asBind({ Type, Name, Source, Destination, RW, Propagation }: Mount): string {
  const from = Type === 'volume' ? (Name ?? Source) : Source;
  const options = [RW ? 'rw' : 'ro', ...(Type === 'bind' && Propagation ? [Propagation] : [])];
  return `${from}:${Destination}:${options.join(',')}`;
}
