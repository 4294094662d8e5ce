import type { RolloutConfig, ServiceInspect } from './swarm-inspect';

const MS = 1e6;
/** Each node pulls the image. */
const PULL_MS = 10 * 60_000;
const STOP_GRACE_MS = 10_000;

/** How long Swarm may take for a rollout: for each batch the start of its tasks, the delay, the monitor and the stop of the old ones. */
export function rolloutWithinMs(
  service: ServiceInspect,
  config: RolloutConfig | null | undefined,
  { tasks, startMs }: { tasks: number; startMs: number },
): number {
  const { Parallelism = 1, Delay = 0, Monitor = 5_000 * MS } = config ?? {};
  const batches = Parallelism === 0 ? 1 : Math.max(1, Math.ceil(tasks / Parallelism));
  const { StopGracePeriod } = service.Spec.TaskTemplate.ContainerSpec ?? {};
  const stopMs = StopGracePeriod ? StopGracePeriod / MS : STOP_GRACE_MS;
  return PULL_MS + batches * (startMs + (Delay + Monitor) / MS + stopMs);
}
