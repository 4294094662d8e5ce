import type { ContainerInspect } from '../engine-inspect';

const MANAGER = 'io.container.manager';

/** Podman marks its containers so. It shows some fields in another way than Docker (docs/podman.md). */
export function isOfPodman({ HostConfig }: Pick<ContainerInspect, 'HostConfig'>): boolean {
  return (HostConfig['Annotations'] as Record<string, unknown> | null | undefined)?.[MANAGER] === 'libpod';
}

/** Podman lists the variable that it makes of the hostname, which names the old container after its replacement. */
export function withoutMadeHostname(container: ContainerInspect): ContainerInspect {
  const { Config } = container;
  if (!isOfPodman(container)) return container;
  const made = `HOSTNAME=${Config.Hostname ?? ''}`;
  return { ...container, Config: { ...Config, Env: (Config.Env ?? []).filter((line) => line !== made) } };
}
