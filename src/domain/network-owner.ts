import type { ContainerInspect } from './engine-inspect';

const SHARED = 'container:';

/** Id (or name) of the container whose network namespace this one lives in (`network_mode: "service:edge"`); null: its own. */
export function networkOwner({
  HostConfig: { NetworkMode: mode },
}: Pick<ContainerInspect, 'HostConfig'>): string | null {
  return mode.startsWith(SHARED) ? mode.slice(SHARED.length) : null;
}
