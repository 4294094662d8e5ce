import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { Illness } from '../domain/illness';
import { fewAtATime } from '../lib/few-at-a-time';
import { illnessOf } from './check-health';

/** A probe may be a program inside the container: not all of a host's at once. */
const AT_ONCE = 4;

/** Which of those that run fail their own health check at this moment, by id. Rejects only with `engine_unreachable`. */
export async function illAmong(
  deps: Pick<Deps, 'engine' | 'clock'>,
  containers: readonly Container[],
): Promise<ReadonlyMap<string, Illness>> {
  const running = containers.filter((container) => container.running);
  const found = await fewAtATime(running, AT_ONCE, (container) => illnessOf(deps, container));
  return new Map(running.flatMap(({ id }, index) => (found[index] ? [[id, found[index]] as const] : [])));
}
