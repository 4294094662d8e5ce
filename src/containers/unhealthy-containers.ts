import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { HealthFailure } from '../domain/health/health-failure';
import { fewAtATime } from '../lib/concurrency';
import { healthFailureOf } from './check-health';

/** A probe may be a program inside the container: not all of a host's at once. */
const AT_ONCE = 4;

/** Which of those that run fail their own health check at this moment, by id. Rejects only with `engine_unreachable`. */
export async function findUnhealthy(
  deps: Pick<Deps, 'engine' | 'clock'>,
  containers: readonly Container[],
): Promise<ReadonlyMap<string, HealthFailure>> {
  const running = containers.filter((container) => container.running);
  const found = await fewAtATime(running, AT_ONCE, (container) => healthFailureOf(deps, container));
  return new Map(running.flatMap(({ id }, index) => (found[index] ? [[id, found[index]] as const] : [])));
}
