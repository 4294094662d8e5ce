import type { Inspected } from '../lab/engine/docker-cli';

/** What merely came from an image, and so may differ with it. */
type ImageConfig = Inspected;

/**
 * All of an inspect result that an operator set or relies on, read by this test alone: no code of ours has a say in it.
 * Left out is only what the engine counts or names anew for every container.
 */
export function whatMustBeKept(container: Inspected, image: ImageConfig): Record<string, unknown> {
  const { Config: config, HostConfig: host } = container;
  // Binds and mounts may be spelled in either; what is mounted is told by Mounts.
  const hostConfig = { ...(host as Inspected), Binds: 'see mounts', Mounts: 'see mounts' };
  const { Env, Labels, Image, Hostname, ...ownConfig } = config as Inspected;
  return {
    name: container['Name'],
    reference: Image,
    hostname: Hostname === String(container['Id']).slice(0, 12) ? 'of the engine' : Hostname,
    environment: minus(Env as string[], image['Env'] as string[]),
    labels: { ...(Labels as object), 'com.docker.compose.image': 'of the new image' },
    config: ownConfig,
    hostConfig,
    mounts: mountsOf(container),
    networks: networksOf(container),
    restarts: container['RestartCount'],
  };
}

function minus(all: string[], inherited: string[]): string[] {
  return all.filter((line) => !inherited.includes(line)).sort();
}

function mountsOf(container: Inspected): unknown[] {
  return (container['Mounts'] as Inspected[])
    .map(({ Type, Name, Source, Destination, RW, Propagation }) => ({
      Type,
      Name,
      Source,
      Destination,
      RW,
      Propagation,
    }))
    .sort((a, b) => String(a.Destination).localeCompare(String(b.Destination)));
}

function networksOf(container: Inspected): Record<string, unknown> {
  const shortId = String(container['Id']).slice(0, 12);
  const all = Object.entries(container['NetworkSettings'].Networks as Record<string, Inspected>);
  return Object.fromEntries(
    all.map(([name, { NetworkID, Aliases, IPAMConfig, DriverOpts, Links }]) => [
      name,
      {
        ...{ NetworkID, DriverOpts, Links },
        // Nothing given is told as null or as {}.
        IPAMConfig: IPAMConfig ?? {},
        Aliases: ((Aliases ?? []) as string[]).filter((alias) => alias !== shortId).sort(),
      },
    ]),
  );
}
