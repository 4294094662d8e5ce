import { healthFailureOf } from '../containers/check-health';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { messageOf, rethrowEngineLost } from '../domain/errors';
import type { HealthFailure } from '../domain/health/health-failure';
import { isRunning, namesOf, viewTasks } from '../domain/services/tasks';
import { roleOf } from './read-targets';
import { containerOfTask } from './task-log';

/** What is wrong with a service now; null: nothing that could be seen. Rejects only with `engine_unreachable`. */
export async function serviceFailureOf(
  deps: Pick<Deps, 'engine' | 'swarm' | 'clock' | 'logger'>,
  target: Container,
): Promise<HealthFailure | null> {
  try {
    const role = await roleOf(deps);
    const [service, tasks] = await Promise.all([deps.swarm.service(target.id), deps.swarm.tasks(target.id)]);
    const image = service.Spec.TaskTemplate.ContainerSpec?.Image ?? '';
    const view = viewTasks(service, tasks, image, namesOf(await deps.swarm.nodes()));
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
