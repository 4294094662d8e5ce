import { lastLines } from '../containers/check-health';
import type { Deps } from '../deps';
import type { TaskInspect } from '../domain/services/swarm-inspect';

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
