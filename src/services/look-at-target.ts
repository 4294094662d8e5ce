import { foreseeCarryOver, foreseeCarryOvers } from '../containers/carry-over/refusals';
import { findUnhealthy, healthFailureOf } from '../containers/check-health';
import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { HealthFailure } from '../domain/health/health-failure';
import { NOTHING_TO_SAY, type CarryOver } from '../domain/recreate/carry-over';
import { serviceFailureOf } from './failure-now';

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
