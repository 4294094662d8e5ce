import type { ContainerInspect, HostConfig } from '../engine-inspect';
import { linkRequest } from './create-request';
import { factsOf, normalise, type ComparableFields } from './facts';
import { bindDestination, cleanPath } from './own-mounts';

/** `Binds` and `Mounts` that carry a volume are compared as mounts; here only their other options. */
export function hostFacts(container: ContainerInspect): ComparableFields {
  const { Binds, Mounts, Links, NetworkMode, ...rest } = container.HostConfig;
  const all: Record<string, unknown> = {
    ...rest,
    NetworkMode: NetworkMode === 'bridge' ? 'default' : NetworkMode,
    Links: (Links ?? []).map(linkRequest),
    Binds: (Binds ?? []).map((bind) => bindText(bind, container)),
    Mounts: (Mounts ?? []).map((mount) => withoutVolumeName(mount)),
  };
  return factsOf(
    Object.fromEntries(Object.entries(all).map(([field, value]) => [`HostConfig ${field}`, normalise(value)])),
  );
}

/** A volume's bind without options says no more than its mount does: the same whether requested or declared. */
function bindText(bind: string, { Mounts }: ContainerInspect): string {
  const destination = bindDestination(bind);
  const isVolume = Mounts.some((mount) => mount.Type === 'volume' && cleanPath(mount.Destination) === destination);
  if (!isVolume) return bind;
  const options = (bind.split(':')[2] ?? '').split(',').filter((option) => !['', 'rw', 'ro', 'z'].includes(option));
  return options.length === 0 ? '' : `${destination} ${options.sort().join(',')}`;
}

function withoutVolumeName(mount: NonNullable<HostConfig['Mounts']>[number]): object {
  return mount.Type === 'volume' ? { ...mount, Source: '' } : mount;
}
