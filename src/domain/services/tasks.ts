import type { ErrorCode } from '../errors';
import { plural } from '../format';
import type { NodeInspect, ServiceInspect, TaskInspect, TaskState } from './swarm-inspect';

/** What the tasks of a service say of one image of it. */
export interface TaskView {
  /** Every task that the service wants runs the image. */
  allRun: boolean;
  /** IDs of those that run it, sorted: another set means that a task ended in between. */
  running: string[];
  /** Per task that does not: its node, its state and its error. */
  detail: string;
}

const ENDED: readonly TaskState[] = ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'];

/** Its container may still run, or come up. */
export function isAlive({ Status }: TaskInspect): boolean {
  return !ENDED.includes(Status.State);
}

/** The service no longer wants it, as after a rollback, or it has ended. */
export function isOver(task: TaskInspect): boolean {
  return task.DesiredState === 'shutdown' || !isAlive(task);
}

export function viewTasks(
  service: ServiceInspect,
  tasks: readonly TaskInspect[],
  image: string,
  nodes: Nodes,
): TaskView {
  const wanted = tasks.filter(({ DesiredState }) => DesiredState === 'running');
  const run = wanted.filter((task) => imageOfTask(task) === image && task.Status.State === 'running');
  const count = service.Spec.Mode.Replicated?.Replicas ?? wanted.length;
  const others = wanted.filter((task) => !run.includes(task)).map((task) => taskText(service, task, nodes));
  const of = `${run.length} of ${plural(count, 'task')} ${count === 1 ? 'runs' : 'run'} the image`;
  return {
    allRun: count > 0 && run.length === count && wanted.length === count,
    running: run.map(({ ID }) => ID).sort(),
    detail: [of, ...others.slice(0, 5)].join('; '),
  };
}

/** Host names by ID, and which of the nodes Swarm has lost. */
export type Nodes = ReadonlyMap<string, { name: string; down: boolean }>;

export function nodesById(nodes: readonly NodeInspect[]): Nodes {
  return new Map(
    nodes.map(({ ID, Description, Status }) => [ID, { name: Description.Hostname, down: Status.State === 'down' }]),
  );
}

/** Empty for a task that has no node yet. */
export function nodeOf({ NodeID = '' }: TaskInspect, nodes: Nodes): string {
  return nodes.get(NodeID)?.name ?? NodeID;
}

/** What Swarm also says of a task that it ended as unhealthy, if its process then exits with 0 (measured, e2e/swarm). */
const COMPLETE = 'exit code 0: it ended, or was stopped as unhealthy';

/** `web.2 on node-b: starting`, with the error where there is one. */
export function taskText({ Spec: { Name } }: ServiceInspect, task: TaskInspect, nodes: Nodes): string {
  const { NodeID = '', Slot, Status } = task;
  const node = nodeOf(task, nodes);
  const place = node === '' ? ', without a node' : ` on ${node}${nodes.get(NodeID)?.down ? ', which is down' : ''}`;
  const name = Slot === undefined || Slot === 0 ? Name : `${Name}.${Slot}`;
  const why = Status.Err || (Status.State === 'complete' ? COMPLETE : '');
  return `${name}${place}: ${Status.State}${why ? ` (${why})` : ''}`;
}

/** Why tasks of an image do not run: the newest that ended of their own accord, else the newest that waits with an error. */
export function failureOf(
  service: ServiceInspect,
  tasks: readonly TaskInspect[],
  image: string,
  nodes: Nodes,
): { code: ErrorCode; detail: string; task: TaskInspect } | null {
  const own = tasks
    .filter((task) => imageOfTask(task) === image)
    .toSorted((a, b) => b.CreatedAt.localeCompare(a.CreatedAt));
  const task = own.find(endedItself) ?? own.find(({ Status }) => !!Status.Err && !ENDED.includes(Status.State));
  if (task === undefined) return null;
  return { code: codeOf(task), detail: taskText(service, task, nodes), task };
}

/** Of a rollout whose time is up, where no task failed: what its slowest task waits for. */
export function whyStuck(
  service: ServiceInspect,
  tasks: readonly TaskInspect[],
  nodes: Nodes,
): { code: ErrorCode; detail: string } {
  const wanted = tasks.filter(({ DesiredState, Status }) => DesiredState === 'running' && Status.State !== 'running');
  const [task] = wanted.toSorted((a, b) => LIFE.indexOf(a.Status.State) - LIFE.indexOf(b.Status.State));
  if (task === undefined) return { code: 'preflight_blocked', detail: 'Swarm replaces no further task' };
  const lost = nodes.get(task.NodeID ?? '')?.down ?? false;
  const code = (lost ? undefined : CODE_OF_WAITING[task.Status.State]) ?? 'preflight_blocked';
  return { code, detail: taskText(service, task, nodes) };
}

const LIFE: readonly TaskState[] = [
  'new',
  'allocated',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
];
/** Of a task that is pulling, and of one whose HEALTHCHECK does not pass. */
const CODE_OF_WAITING: Partial<Record<TaskState, ErrorCode>> = { preparing: 'pull_failed', starting: 'unhealthy' };

const NOT_PULLED = /no such image|pull|manifest|registry/i;
const NO_PLACE = /no suitable node|insufficient resources|host-mode port|port is already|bind for|address already/i;

/**
 * Only a task whose process ended or was unhealthy counts against the image; whether the image could not be started is in
 * the engine's words (domain/health/health-failure).
 */
function codeOf({ Status: { State, Err = '' } }: TaskInspect): ErrorCode {
  if (NO_PLACE.test(Err)) return 'preflight_blocked';
  if (State === 'rejected') return NOT_PULLED.test(Err) ? 'pull_failed' : 'recreate_failed';
  if (State === 'complete') return 'unhealthy';
  return State === 'failed' && /non-zero exit|unhealthy|task: exit/i.test(Err) ? 'unhealthy' : 'recreate_failed';
}

/** Its process ended, or never started: Swarm did not move it elsewhere. */
export function endedItself({ Status: { State } }: TaskInspect): boolean {
  return State === 'failed' || State === 'rejected' || State === 'complete';
}

/** Wanted, of the image, and running. */
export function isRunning(task: TaskInspect, image: string): boolean {
  return task.DesiredState === 'running' && task.Status.State === 'running' && imageOfTask(task) === image;
}

export function imageOfTask({ Spec }: Pick<TaskInspect, 'Spec'>): string {
  return Spec.ContainerSpec?.Image ?? '';
}
