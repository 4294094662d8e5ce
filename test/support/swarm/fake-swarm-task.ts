import type { ServiceInspect, ServiceSpec, TaskInspect } from '../../../src/domain/services/swarm-inspect';

export interface FakeServiceSpec {
  name: string;
  /** As Swarm writes it: `nginx:1.28@sha256:…`. */
  image: string;
  labels?: Record<string, string>;
  spec?: Partial<ServiceSpec>;
  replicas?: number;
  /** Hostname of a node that is not this engine's: its tasks have no container here. */
  node?: string;
}

/** A service of the fake Swarm. */
export interface Held {
  inspect: ServiceInspect;
  tasks: TaskInspect[];
  node: string;
  /** The part of the spec that the tasks were made from: with another one they are replaced. */
  madeFrom: string;
  /** When the rollout that is under way shows its outcome; null: none is. */
  dueAt: number | null;
}

export function imageOf({ TaskTemplate }: ServiceSpec): string {
  return TaskTemplate.ContainerSpec?.Image ?? '';
}

/** Of the image that the service has now. */
export function newTask(
  { ID: ServiceID, Spec }: ServiceInspect,
  { ID, CreatedAt, ...status }: { ID: string; CreatedAt: string } & TaskInspect['Status'],
): TaskInspect {
  return {
    ...{ ID, ServiceID, CreatedAt, DesiredState: 'running' },
    Status: { Timestamp: CreatedAt, ...status },
    Spec: { ContainerSpec: { Image: imageOf(Spec) } },
  };
}

/** A task that is told as starting until then. */
export function toldLate(task: TaskInspect, isTold: () => boolean): TaskInspect {
  let { Status: status } = task;
  return Object.defineProperty(task, 'Status', {
    enumerable: true,
    get: () => (isTold() ? status : { State: 'starting' }),
    set: (next: TaskInspect['Status']) => (status = next),
  });
}
