import type { ContainerInspect, ImageInspect } from '../../../../domain/engine-inspect';

/** What the guard itself reads of the engine. Null: it is not there. Rejects when the engine does not answer. */
export interface Sight {
  container(nameOrId: string): Promise<ContainerInspect | null>;
  /** Of every container, running or not. */
  containers(): Promise<{ id: string; names: string[] }[]>;
  image(reference: string): Promise<ImageInspect | null>;
  volume(name: string): Promise<VolumeInfo | null>;
  service(nameOrId: string): Promise<ServiceInfo | null>;
  /** The folder of the host in which the engine has volumes, layers and configurations. Null: it does not say. */
  dataRoot(): Promise<string | null>;
}

/** `options.device` of a `local` volume is a folder of the host. */
export interface VolumeInfo {
  Driver: string;
  Options: Record<string, string> | null;
}

/** Of a Swarm service, as the engine reports it; nothing of the specification is read but labels and image. */
export interface ServiceInfo {
  ID: string;
  Spec: { Labels?: Record<string, string> | null; [field: string]: unknown };
}

/** Of an engine that is asked over HTTP. `ask` resolves with the JSON of an answer; null: 404. */
export function sightThrough(ask: (path: string) => Promise<unknown>): Sight {
  const at = (name: string): string => encodeURIComponent(name);
  return {
    container: (nameOrId) => ask(`/containers/${at(nameOrId)}/json`) as Promise<ContainerInspect | null>,
    containers: async () => {
      const list = ((await ask('/containers/json?all=1')) ?? []) as { Id: string; Names: string[] | null }[];
      return list.map(({ Id, Names }) => ({ id: Id, names: (Names ?? []).map((name) => name.replace(/^\//, '')) }));
    },
    image: (reference) => ask(`/images/${reference}/json`) as Promise<ImageInspect | null>,
    volume: (name) => ask(`/volumes/${at(name)}`) as Promise<VolumeInfo | null>,
    service: (nameOrId) => ask(`/services/${at(nameOrId)}`) as Promise<ServiceInfo | null>,
    dataRoot: async () => ((await ask('/info')) as { DockerRootDir?: string } | null)?.DockerRootDir || null,
  };
}
