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
