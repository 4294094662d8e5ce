const MS = 1e6;
const STOP_GRACE_MS = 10_000;

/**
 * The parts of Swarm's JSON that this project reads, in the API's own spelling (docs.docker.com/reference/api/engine, Service
 * and Task). A spec goes back to the engine as it came, so what is not read here stays in it. Durations are nanoseconds.
 */
export interface ServiceInspect {
  ID: string;
  /** Counts every change; an update names the one it was made from. */
  Version: { Index: number };
  CreatedAt: string;
  UpdatedAt: string;
  Spec: ServiceSpec;
  /** What `rollback=previous` goes back to. */
  PreviousSpec?: ServiceSpec | null;
  UpdateStatus?: UpdateStatus | null;
  Endpoint?: { Ports?: PublishedPort[] | null } | null;
}

export interface ServiceSpec {
  Name: string;
  Labels?: Record<string, string> | null;
  TaskTemplate: TaskTemplate;
  Mode: ServiceMode;
  UpdateConfig?: RolloutConfig | null;
  RollbackConfig?: RolloutConfig | null;
  [field: string]: unknown;
}

export interface TaskTemplate {
  /** Not there for a plugin or a network attachment. */
  ContainerSpec?: ServiceContainer;
  Placement?: { Constraints?: string[] | null };
  [field: string]: unknown;
}

export interface ServiceContainer {
  /** `nginx:1.28@sha256:…`: Swarm adds the digest. */
  Image: string;
  Env?: string[] | null;
  Mounts?: { Type?: string; Source?: string; Target: string; ReadOnly?: boolean }[] | null;
  Healthcheck?: { Test?: string[] | null; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number };
  StopGracePeriod?: number | null;
  [field: string]: unknown;
}

/** Exactly one is there. */
export interface ServiceMode {
  Replicated?: { Replicas?: number };
  Global?: object;
  ReplicatedJob?: object;
  GlobalJob?: object;
}

/** `update_config` and `rollback_config` of a stack file. */
export interface RolloutConfig {
  /** 0: all tasks at once. */
  Parallelism?: number;
  Delay?: number;
  Monitor?: number;
  FailureAction?: 'pause' | 'continue' | 'rollback';
  MaxFailureRatio?: number;
  Order?: 'stop-first' | 'start-first';
}

/** The same with Swarm's own defaults where the spec does not say (swarmkit, api/defaults). */
export function rolloutOf(config: RolloutConfig | null | undefined): Required<Omit<RolloutConfig, 'MaxFailureRatio'>> {
  const {
    Parallelism = 1,
    Delay = 0,
    Monitor = 5_000 * MS,
    FailureAction = 'pause',
    Order = 'stop-first',
  } = config ?? {};
  return { Parallelism, Delay, Monitor, FailureAction, Order };
}

/** Of a service that is not replicated, 1: it cannot be at 0. */
export function replicasOf({ Mode }: ServiceSpec): number {
  return Mode.Replicated === undefined ? 1 : (Mode.Replicated.Replicas ?? 1);
}

/** How long Swarm waits for a task to stop before it kills it. */
export function stopGraceMs({ TaskTemplate }: ServiceSpec): number {
  const { StopGracePeriod } = TaskTemplate.ContainerSpec ?? {};
  return StopGracePeriod ? StopGracePeriod / MS : STOP_GRACE_MS;
}

/** Not there, or without a state: the engine has not started, or there was nothing to replace. */
export interface UpdateStatus {
  State?: RolloutState;
  StartedAt?: string;
  CompletedAt?: string;
  Message?: string;
}

export type RolloutState =
  'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed';

export interface PublishedPort {
  Protocol?: string;
  TargetPort: number;
  PublishedPort?: number;
  PublishMode?: 'ingress' | 'host';
}

export interface TaskInspect {
  ID: string;
  ServiceID: string;
  Slot?: number;
  /** Not there while no node was found for it. */
  NodeID?: string;
  CreatedAt: string;
  /** `running`: it is one of those that the service wants; else it ends or has ended. */
  DesiredState: string;
  Status: {
    Timestamp?: string;
    State: TaskState;
    Message?: string;
    Err?: string;
    ContainerStatus?: { ContainerID?: string; ExitCode?: number } | null;
    PortStatus?: { Ports?: PublishedPort[] | null } | null;
  };
  Spec: { ContainerSpec?: { Image: string } };
}

/** In the order of its life; from `complete` on it has ended. */
export type TaskState =
  | 'new'
  | 'allocated'
  | 'pending'
  | 'assigned'
  | 'accepted'
  | 'preparing'
  | 'ready'
  | 'starting'
  | 'running'
  | 'complete'
  | 'shutdown'
  | 'failed'
  | 'rejected'
  | 'remove'
  | 'orphaned';

export interface NodeInspect {
  ID: string;
  Description: {
    Hostname: string;
    Platform?: { Architecture?: string; OS?: string };
    Engine?: { Labels?: Record<string, string> | null };
  };
  Status: { State: string; Addr?: string };
  Spec: { Availability: string; Role?: string; Labels?: Record<string, string> | null };
}
