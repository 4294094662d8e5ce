import { foreseeCarryOver, foreseeCarryOvers } from '../containers/carry-over/refusals';
import { findUnhealthy, healthFailureOf, lastLines } from '../containers/check-health';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { HealthFailure } from '../domain/health/health-failure';
import { type CarryOver, NOTHING_TO_SAY } from '../domain/recreate/carry-over';
import { type Platform, platformOf } from '../domain/recreate/platform';
import type { NodeInspect, TaskInspect } from '../domain/services/swarm-inspect';
import { isRunning, nodesById, viewTasks } from '../domain/services/tasks';
import { roleOf } from './read-targets';

// What an offer must know of a target, whether it is a container or a service.

/** What is wrong with it now; null: nothing that could be seen. Rejects only with `engine_unreachable`. */
export function targetFailureOf(deps: Deps, target: Container): Promise<HealthFailure | null> {
  return target.swarm ? serviceFailureOf(deps, target) : healthFailureOf(deps, target);
}

/** Which of them fail their own health check now, by ID. */
export async function findUnhealthyTargets(
  deps: Deps,
  targets: readonly Container[],
): Promise<ReadonlyMap<string, HealthFailure>> {
  const found = new Map(await findUnhealthy(deps, targets.filter(isContainer)));
  for (const service of targets.filter((target) => !isContainer(target))) {
    const failure = await serviceFailureOf(deps, service);
    if (failure !== null) found.set(service.id, failure);
  }
  return found;
}

/** What its replacement would be refused for or would lose. Swarm makes the tasks of a service from its spec: they lose nothing. */
export function targetCarryOver(deps: Deps, target: Container): Promise<CarryOver> {
  return target.swarm ? Promise.resolve(NOTHING_TO_SAY) : foreseeCarryOver(deps, target);
}

export function targetCarryOvers(deps: Deps, targets: readonly Container[]): Promise<ReadonlyMap<string, CarryOver>> {
  return foreseeCarryOvers(deps, targets.filter(isContainer));
}

export function isContainer({ swarm }: Container): boolean {
  return swarm === undefined;
}

/** What is wrong with a service now; null: nothing that could be seen. Rejects only with `engine_unreachable`. */
export async function serviceFailureOf(
  deps: Pick<Deps, 'engine' | 'swarm' | 'clock' | 'logger' | 'selfId'>,
  target: Container,
): Promise<HealthFailure | null> {
  try {
    const role = await roleOf(deps);
    const [service, tasks] = await Promise.all([deps.swarm.service(target.id), deps.swarm.tasks(target.id)]);
    const image = service.Spec.TaskTemplate.ContainerSpec?.Image ?? '';
    const view = viewTasks(service, tasks, image, nodesById(await deps.swarm.nodes()));
    if (!view.allRun) return { of: 'container', detail: view.detail };
    for (const { NodeID, Status } of tasks.filter((task) => isRunning(task, image))) {
      const id = 'nodeId' in role && NodeID === role.nodeId ? containerOfTask(Status) : null;
      const failure = id === null ? null : await healthFailureOf(deps, { id, labels: target.labels });
      if (failure !== null) return failure;
    }
    return null;
  } catch (error) {
    rethrowEngineLost(error);
    deps.logger.warn('the health of a service is not known', { service: target.name, reason: messageOf(error) });
    return null;
  }
}

/** The end of a task's log, to be put after a message; empty for one of another node. */
export async function logOf(
  run: Pick<Deps, 'engine'> & { nodeId: string },
  { NodeID, Status }: TaskInspect,
): Promise<string> {
  const id = containerOfTask(Status);
  return NodeID === run.nodeId && id !== null ? lastLines(run, id) : '';
}

export function containerOfTask({ ContainerStatus }: TaskInspect['Status']): string | null {
  return ContainerStatus?.ContainerID || null;
}

/** The platform of a container, or that of all nodes of its Swarm for a service; null: not known, or there are several. */
export async function platformOfTarget(
  { engine, swarm }: Pick<Deps, 'engine' | 'swarm'>,
  target: Container,
): Promise<Platform | null> {
  if (target.swarm) return platformOfNodes(await swarm.nodes());
  const inspect = await engine.inspectContainer(target.id);
  return platformOf(inspect, await engine.inspectImage(inspect.Image));
}

function platformOfNodes(nodes: readonly NodeInspect[]): Platform | null {
  const found = new Set(nodes.map(({ Description: { Platform: is } }) => `${is?.OS ?? ''}/${is?.Architecture ?? ''}`));
  const [os = '', machine = ''] = [...found][0]?.split('/') ?? [];
  const architecture = ARCHITECTURES[machine];
  return found.size === 1 && os !== '' && architecture !== undefined ? { os, architecture, variant: '' } : null;
}

/** A node names its machine as the kernel does. */
const ARCHITECTURES: Record<string, string> = {
  ...{ x86_64: 'amd64', amd64: 'amd64', aarch64: 'arm64', arm64: 'arm64' },
  ...{ s390x: 's390x', ppc64le: 'ppc64le', riscv64: 'riscv64' },
};
