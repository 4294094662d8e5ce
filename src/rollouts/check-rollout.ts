import { healthOf } from '../containers/check-health';
import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError } from '../domain/errors';
import { formatTimeout } from '../domain/format';
import { replicasOf, type TaskInspect, type PublishedPort } from '../domain/services/swarm-inspect';
import { endedItself, failureOf, isRunning, nodeOf, viewTasks } from '../domain/services/tasks';
import type { Progress } from '../lib/logger';
import { probeTimeoutOf, scaledToZero, see, serviceChanged, type Seen, type ServiceRun } from './rollout-run';
import { containerOfTask, logOf } from '../services/look-at-target';
import { askAddress } from '../probes/ask-http';

const POLL_MS = 500;
/** Between two looks at the tasks: those of a crash loop are others by then. */
const SECOND_LOOK_MS = 3_000;
/** The tasks are checked again that often if Swarm moves some meanwhile. */
const LOOKS = 3;

/**
 * Whether every task that the service wants runs the image, stays, and passes the probe of the service. A probe is asked in the
 * containers of this node; on another node over a published port, where the probe can be asked so. Resolves with what was seen and
 * what could not be probed. Rejects with `unhealthy`, or with what a task says.
 */
export async function checkService(run: ServiceRun, image: string, progress: Progress): Promise<string> {
  for (let look = 1; ; look++) {
    const { view } = await allRun(run, image, progress);
    const wereMoved = (seen: Seen): boolean => look < LOOKS && movedBySwarm(view.running, seen);
    const probed = await probeTasks(run, await see(run), image, progress).catch(async (error: unknown) => {
      if (codeOf(error) !== 'unhealthy' || !wereMoved(await see(run))) throw error;
      return [];
    });
    const after = await allRun(run, image, progress);
    if (view.running.join() === after.view.running.join()) return [after.view.detail, ...probed].join('; ');
    if (!wereMoved(after.seen)) await rejectWithFailure(run, after.seen, image, 'a task ended while it was checked');
  }
}

/** Swarm ended those that run no longer, as of a node that is drained or down. That says nothing of the image. */
function movedBySwarm(before: readonly string[], { tasks }: Seen): boolean {
  const gone = tasks.filter(({ ID, DesiredState }) => before.includes(ID) && DesiredState !== 'running');
  return gone.length > 0 && !gone.some(endedItself);
}

/** Waits until all tasks run, twice the same ones, for the time of the probe. */
async function allRun(
  run: ServiceRun,
  image: string,
  progress: Progress,
): Promise<{ view: ReturnType<typeof viewTasks>; seen: Seen }> {
  const { clock } = run;
  const withinMs = probeTimeoutOf(run);
  const startedAt = clock.now().getTime();
  let first: string | null = null;
  for (;;) {
    const seen = await see(run);
    if (seen.image !== image) throw rolledBackMeanwhile(run, seen, image);
    if (replicasOf(seen.service.Spec) === 0) throw scaledToZero(run.rollout.name);
    const view = viewTasks(seen.service, seen.tasks, image, seen.nodes);
    const tasks = view.running.join();
    if (view.allRun && tasks === first) return { view, seen };
    first = view.allRun ? tasks : null;
    progress(view.detail);
    if (first === null && clock.now().getTime() >= startedAt + withinMs)
      await rejectWithFailure(run, seen, image, `Not all tasks run within ${formatTimeout(withinMs)}: ${view.detail}`);
    await clock.sleep(first === null ? POLL_MS : SECOND_LOOK_MS);
  }
}

/** Swarm, or another client, put the other image back. */
function rolledBackMeanwhile(run: ServiceRun, { service, tasks, nodes }: Seen, image: string): PilotError {
  const { State = '', Message = '' } = service.UpdateStatus ?? {};
  if (!State.startsWith('rollback')) return serviceChanged(run.rollout.name);
  const failure = failureOf(service, tasks, image, nodes);
  const detail = failure === null ? '' : `${failure.detail}. `;
  return new PilotError(failure?.code ?? 'unhealthy', `${detail}Swarm rolled it back (${Message}).`);
}

async function rejectWithFailure(
  run: ServiceRun,
  { service, tasks, nodes }: Seen,
  image: string,
  why: string,
): Promise<never> {
  const failure = failureOf(service, tasks, image, nodes);
  if (failure === null) throw new PilotError('unhealthy', `${why}.`);
  throw new PilotError(failure.code, `${failure.detail}. ${why}.${await logOf(run, failure.task)}`);
}

async function probeTasks(run: ServiceRun, seen: Seen, image: string, progress: Progress): Promise<string[]> {
  if (run.target === null) return ['not probed: the service is gone'];
  const said: string[] = [];
  for (const task of seen.tasks.filter((each) => isRunning(each, image))) {
    const id = task.NodeID === run.nodeId ? containerOfTask(task.Status) : null;
    said.push(
      id === null
        ? await probeElsewhere(run, run.target, seen, task, progress)
        : await probeHere(run, run.target, id, seen, task, progress),
    );
  }
  return [...new Set(said.filter((words) => words !== ''))];
}

async function probeHere(
  run: ServiceRun,
  target: Container,
  id: string,
  { service, nodes }: Seen,
  task: TaskInspect,
  progress: Progress,
): Promise<string> {
  try {
    return await healthOf(run, id, target, progress);
  } catch (error) {
    if (codeOf(error) !== 'unhealthy') throw error;
    const name = task.Slot ? `${service.Spec.Name}.${task.Slot}` : service.Spec.Name;
    throw new PilotError('unhealthy', `${name} on ${nodeOf(task, nodes)}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Probes a task of another node over a port that is published there. Resolves with what was seen, or with why it could not be
 * probed: a command runs in containers of this node only. Rejects with `unhealthy`.
 */
async function probeElsewhere(
  run: ServiceRun,
  { labels: { probe, probeTimeoutMs } }: Container,
  seen: Seen,
  task: TaskInspect,
  progress: Progress,
): Promise<string> {
  const { clock } = run;
  const node = nodeOf(task, seen.nodes);
  if (probe.kind === 'docker') return '';
  if (probe.kind !== 'http' && probe.kind !== 'tcp')
    return `not probed on ${node}: the ${probe.kind} probe runs on the node of diun-pilot only`;
  const port = publishedOf(seen, task, probe.port);
  const host = await addressOfNode(run, task);
  if (port === null || host === null) return `not probed on ${node}: port ${probe.port} is not published there`;
  const until = clock.now().getTime() + probeTimeoutMs;
  for (;;) {
    const { healthy, detail } = await askAddress(probe, host, port);
    if (healthy) return `${detail} on ${node}`;
    progress(`${node}: ${detail}`);
    if (clock.now().getTime() >= until)
      throw new PilotError('unhealthy', `${seen.service.Spec.Name} on ${node}: ${detail}.`);
    await clock.sleep(POLL_MS);
  }
}

/** A port of the task itself (mode host), else one that every node passes on (ingress). */
function publishedOf({ service }: Seen, { Status }: TaskInspect, target: number): number | null {
  const ports = [...(Status.PortStatus?.Ports ?? []), ...(service.Endpoint?.Ports ?? [])];
  const fits = ({ Protocol = 'tcp', TargetPort }: PublishedPort): boolean =>
    Protocol === 'tcp' && TargetPort === target;
  return ports.find(fits)?.PublishedPort ?? null;
}

async function addressOfNode({ swarm }: ServiceRun, { NodeID }: TaskInspect): Promise<string | null> {
  const node = (await swarm.nodes()).find(({ ID }) => ID === NodeID);
  return node?.Status.Addr || null;
}
