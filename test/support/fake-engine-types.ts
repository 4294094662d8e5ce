import type { ContainerInspect, HostConfig, ImageConfig } from '../../src/domain/engine-inspect';

/** What comes of a command in a fake container. */
export interface Outcome {
  exitCode?: number;
  stdout?: string | Buffer;
  stderr?: string;
  /** Never ends by itself. */
  hangs?: boolean;
}

/** One command run in a fake container; `files` is the container's view, volumes included. */
export interface CommandCall {
  command: string[];
  stdin: Buffer;
  container: ContainerInspect;
  env: string[];
  files: FakeFiles;
}

export interface FakeFiles {
  read(path: string): Buffer | undefined;
  write(path: string, content: Buffer | string): void;
  /** Paths of all files below a folder. */
  list(folder: string): string[];
  /** Paths of all folders from one on, itself among them where it is there. */
  folders(folder: string): string[];
  addFolder(path: string): void;
  meta(path: string): FileMeta | undefined;
  setMeta(path: string, meta: FileMeta): void;
  /** Takes away everything in a folder. */
  clear(folder: string): void;
}

/** Scripts by the command's words joined with a space; `*` at the end matches any rest. What has no script is exit code 127. */
export type Scripts = Record<string, Outcome | ((call: CommandCall) => Outcome)>;

export type Behaviour =
  /** Runs and stays; its HEALTHCHECK, if it has one, passes after one interval. */
  | 'healthy'
  /** Runs and stays, and its HEALTHCHECK never passes. */
  | 'never'
  /** Runs for half a second and ends with 1, each time. */
  | 'crash-loop'
  /** Its HEALTHCHECK passes only after `slowMs`. */
  | 'slow'
  /** Ends with 1 at once. */
  | 'exits'
  /** `healthy`, and ends with 1 after `lastsMs`, each time. */
  | 'dies'
  /** `healthy`, and its HEALTHCHECK no longer passes after `lastsMs`. */
  | 'fades';

export interface ImageSpec {
  /** Digest of the tag (that of the index); made up from the content when left out. */
  digest?: string;
  /** Image id; made up when left out. */
  id?: string;
  config?: Partial<ImageConfig>;
  health?: Behaviour;
  /** For `slow`: how long after the start. */
  slowMs?: number;
  /** For `dies` and `fades`: how long it works after each start. */
  lastsMs?: number;
  scripts?: Scripts;
  /** Exit code of the main process when it is stopped; left out: 0. */
  stopCode?: (command: string[]) => number;
  logs?: string[];
  /** Files in the image, by absolute path. */
  files?: Record<string, string>;
  /** `linux/386`; left out, that of the engine. */
  platform?: string;
  /** The same digest for other platforms: then it is that of an index. */
  variants?: (ImageSpec & { platform: string })[];
}

export interface FakeImage {
  id: string;
  digest: string;
  config: ImageConfig;
  spec: ImageSpec;
}

export interface ContainerSpec {
  name: string;
  /** Reference of an image that is on the engine. */
  image: string;
  labels?: Record<string, string>;
  env?: string[];
  cmd?: string[];
  entrypoint?: string[];
  /** Volume name to path. */
  volumes?: Record<string, string>;
  /** Host port to container port. */
  ports?: Record<number, number>;
  networks?: string[];
  restart?: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  hostConfig?: Partial<HostConfig>;
  /** Created only, not started. */
  stopped?: boolean;
}

export interface FileMeta {
  mode: number;
  uid: number;
  gid: number;
  /** RFC 3339 with nanoseconds. */
  modifiedAt: string;
}

export interface FakeContainer {
  inspect: ContainerInspect;
  image: FakeImage;
  phase: 'created' | 'started' | 'stopped';
  /** Milliseconds of the test clock. */
  startedAt: number;
  /** Of the test clock too: what a clock set back does not move. */
  startedTick: number;
  finishedAt: number;
  exitCode: number;
  /** By a call, not by the engine's own end: what `unless-stopped` means. */
  stoppedByCall: boolean;
  /** By `docker pause`, until it is unpaused or started again. */
  paused?: boolean;
  /** Why the engine could not start it the last time. */
  startError?: string;
  /** What its command's script said at the start; undefined: it has none and serves. */
  main?: Required<Outcome>;
  own: Map<string, Buffer>;
  /** Of files in its own layer that were written after its creation. */
  meta: Map<string, FileMeta>;
  waiters: ((exitCode: number) => void)[];
}
