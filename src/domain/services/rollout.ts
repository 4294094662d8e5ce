import type { Failure } from '../errors';
import type { HealthFailure } from '../health/health-failure';

/**
 * How far the update of a service has come, written before each act. The engine goes on without diun-pilot, so a run that
 * continues reads first what has become of it. `preparing`: nothing was asked of Swarm. `rolling_out`: the new image was, or is
 * about to be. `checking`: Swarm says that it is done. `rolling_back`: the service is to run its old image again. `settled`: the
 * new one is healthy.
 */
export type RolloutStage = 'preparing' | 'rolling_out' | 'checking' | 'rolling_back' | 'settled';

/** What a run must know to go on, whatever happened in between. */
export interface Rollout {
  stage: RolloutStage;
  serviceId: string;
  name: string;
  /** As the spec names them: with the digest, where there was one. */
  oldImage: string;
  newImage: string;
  oldReference: string;
  newReference: string;
  /** How it failed its health check before anything was done; left out: it passed. */
  unhealthyBefore?: HealthFailure;
  /** The `UpdateStatus` before the new image was requested, as JSON: while it is the same, nothing was. */
  statusBefore?: string;
  /** What was seen when the new image was healthy, as text. */
  seen?: string;
}

/** The verdict as sentences for a person: of page, mail, log and API alike. Pure. */
export function reasonOfRollout(
  { name, oldReference, newReference, seen }: Rollout,
  verdict: 'succeeded' | 'failed' | 'rolled_back' | 'rollback_failed',
  error: Failure | null,
): string {
  if (error?.code === 'changed_meanwhile' && verdict !== 'rolled_back') {
    const untouched =
      verdict === 'failed'
        ? 'Nothing was changed by diun-pilot.'
        : 'The update could neither be finished nor undone: please check it.';
    return `${error.message.split('\n')[0] ?? ''} ${untouched}`;
  }
  switch (verdict) {
    case 'succeeded':
      return `${name} runs ${newReference} and is healthy${seen === undefined ? '' : `: ${seen}`}.`;
    case 'failed':
      return `Nothing was changed: ${name} still runs ${oldReference} as before.`;
    case 'rolled_back':
      return `${name} was rolled back: its tasks run ${oldReference} again and are healthy.`;
    case 'rollback_failed':
      if (error?.code === 'unhealthy_as_before')
        return `${name} was rolled back: its tasks run ${oldReference} again and fail their health check, as before the update. Manual action required.`;
      return `${name} could not be rolled back to ${oldReference} in a healthy state: manual action required.`;
  }
}
