import type { Readable } from 'node:stream';
import type {
  ContainerInspect,
  CreateRequest,
  EndpointSettings,
  ImageInspect,
  RestartPolicy,
} from '../domain/engine-inspect';
import type { LayerChange, PathStat } from '../domain/recreate/layer';

/**
 * The Docker Engine. Containers are addressed by id from the first inspect on: after a rename a handle made from the
 * name acts on the new container (docs/research/docker-engine.md).
 *
 * Every method rejects with an `EngineError` (domain/errors): `engine_unreachable` when no engine answers,
 * `container_not_found`, `image_not_found`, `name_taken` for what the engine said, `engine_refused` with its words else.
 */
export interface Engine {
  /** Where it is reached over a network, by `DOCKER_HOST`; null: by a socket. Known without a call. */
  readonly address: { host: string; port: string } | null;
  /** Version of the engine and of the API spoken; also the health question. */
  version(): Promise<EngineVersion>;
  /** Ids of all containers, running or not. */
  containerIds(): Promise<string[]>;
  /** Every container, running or not, in one call. `running` may lag behind a start or a stop by a moment (measured, Engine 26.1). */
  containers(): Promise<ListedContainer[]>;
  /** Every image that has a name, or that no other image is built on, in one call. */
  images(): Promise<ListedImage[]>;
  /** Name or id. Rejects with `container_not_found`. */
  inspectContainer(nameOrId: string): Promise<ContainerInspect>;
  /** Reference, digest reference or id. Rejects with `image_not_found`. */
  inspectImage(reference: string): Promise<ImageInspect>;
  /**
   * Digest that the registry gives for a reference now, asked through the engine, with its proxy and credentials; where the
   * engine has no such call (Podman), asked from this process. Rejects with `registry_refused` (not found, not allowed) or
   * `registry_unreachable`.
   */
  registryDigest(reference: string): Promise<string>;
  /**
   * Pulls `name@sha256:…` and resolves with the image id. No tag is moved. An error line inside the stream rejects with
   * `pull_failed`. `platform` (`linux/386`) selects the manifest of an index; left out, the engine selects its own.
   */
  pull(digestReference: string, onProgress: (progress: PullProgress) => void, platform?: string): Promise<string>;
  /** Makes the local tag `reference` name the image. */
  tag(imageId: string, reference: string): Promise<void>;
  /** Removes a local tag only (`docker rmi reference` of a tag that has other names); one that is not there is fine. */
  untag(reference: string): Promise<void>;
  /** Removes an image by its ID, with its one tag; already gone is fine. Rejects with `engine_refused` while a container uses it, or several names do. */
  removeImage(imageId: string): Promise<void>;

  /**
   * Creates, joins the further networks, and resolves with the new container's id; it is not started. If a network refuses,
   * the container is taken away again; the message names it if even that fails. Rejects with `name_taken`.
   */
  createContainer(name: string, request: CreateRequest): Promise<string>;
  /** Running or not, but not while it waits for its restart (`engine_refused`). Rejects with `name_taken`; its own name is refused, too. */
  rename(id: string, name: string): Promise<void>;
  /**
   * Changes the restart policy of a container, running or not; nothing else of it changes, and it is neither started nor
   * stopped. Refused for a container created with `--rm`, unless the policy is `no`.
   */
  updateContainer(id: string, change: { RestartPolicy: RestartPolicy }): Promise<void>;
  /** Already running is fine. */
  start(id: string): Promise<void>;
  /** With the container's own stop signal, and its own timeout unless one is given. Already stopped is fine. */
  stop(id: string, timeoutSeconds?: number): Promise<void>;
  /** Leaves all volumes, or with `volumes` takes its anonymous ones along; never a named one. Already gone is fine. */
  remove(id: string, also?: { volumes: boolean }): Promise<void>;
  /** As a stop and a start, also of one that does not run. When the start fails it stays stopped, with the reason in its state. */
  restart(id: string, timeoutSeconds?: number): Promise<void>;
  /** Waits for the end of the main process, and resolves with its exit code. */
  wait(id: string, signal?: AbortSignal): Promise<number>;
  /**
   * The events of containers from the moment it resolves, whatever causes them. Iterating rejects with
   * `engine_unreachable` when the connection ends (the caller must subscribe again and check what it missed), and with
   * the signal's reason when that is aborted.
   */
  events(actions: readonly ContainerAction[], signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>>;
  /** The last lines of both streams, in order, with no control bytes; of those from `since` on (ISO 8601) if it is given. */
  logs(id: string, lines: number, since?: string): Promise<string[]>;

  /** Runs a command to its end, and resolves with its exit code and the last 64 KiB of each stream at most. A non-zero code does not reject. */
  exec(id: string, command: string[], options?: ExecOptions): Promise<ExecResult>;
  /** Runs a command whose output is data. The stream ends only when the exit code is 0, else it is destroyed with `exec_failed`. */
  execOutput(id: string, command: string[], options?: ExecOptions): Promise<Readable>;
  /** Runs a command fed from a stream; resolves like `exec` once the stream has ended and the command too. */
  execInput(id: string, command: string[], input: Readable, options?: ExecOptions): Promise<ExecResult>;
  /** What differs between the container's own layer and its image. Files in volumes and other mounts are not part of it. */
  changes(id: string): Promise<LayerChange[]>;
  /** Metadata of one path of a running or stopped container; a link is not followed. Null: the path does not exist. */
  stat(id: string, path: string): Promise<PathStat | null>;
  /** A tar of `path` from a running or stopped container. */
  archive(id: string, path: string): Promise<Readable>;
  /** Unpacks a tar into a folder of a running or stopped container. */
  extract(id: string, folder: string, tar: Readable): Promise<void>;
}

/** A line of the list of containers: what may change while the id stays the same. */
export interface ListedContainer {
  id: string;
  /** Without the leading slash. Null: the list does not have it, as of a container that is being removed. */
  name: string | null;
  /** As `State.Running` of its inspect: also paused, or waiting for its restart. */
  running: boolean;
  /** As `State.Status` of its inspect. */
  status: ContainerInspect['State']['Status'];
  networks: Record<string, EndpointSettings>;
}

/** A line of the list of images: its names now, as an inspect has them. */
export interface ListedImage {
  id: string;
  repoTags: string[];
  repoDigests: string[];
}

/** In the engine's own words. A restart is a `die` and a `start`. */
export type ContainerAction = 'start' | 'die';

/** One thing that happened to one container. */
export interface ContainerEvent {
  action: ContainerAction;
  containerId: string;
}

/** Versions as `26.1.5` and `1.45`; the platform in the words of image platforms (`linux`, `amd64`). */
export interface EngineVersion {
  engine: string;
  api: string;
  os: string;
  architecture: string;
}

/** Bytes over all layers; total is what is known so far. */
export interface PullProgress {
  currentBytes: number;
  totalBytes: number;
}

/** How a command is run inside a container. */
export interface ExecOptions {
  /** Name or `uid:gid`; left out: the container's own. */
  user?: string;
  /** `NAME=value`, in addition to the container's own. */
  env?: string[];
  /** Stops waiting, and rejects with the signal's reason. The process inside is left to its end. */
  signal?: AbortSignal;
}

/** How a command ended; of each stream the last 64 KiB at most, as UTF-8. */
export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}
