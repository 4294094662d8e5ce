import type { Deps } from '../deps';
import type { PilotError } from '../domain/errors';
import { reasonOfRollout, type Rollout } from '../domain/services/rollout';
import type { Update, Verdict } from '../domain/update';
import { storeEnd } from '../updates/finish';

/** Stores the verdict, what is to be remembered of it and its mail. */
export function finishService(
  run: Deps & { update: Update; rollout: Rollout },
  verdict: Verdict,
  error: PilotError | null,
): Update {
  const reason = reasonOfRollout(run.rollout, verdict, error);
  return storeEnd(run, { verdict, error, reason, followUp: verdict === 'succeeded' ? run.update.followUp : null });
}

/** After a defect: only a service of which nothing was requested is reported as unchanged. */
export function endAbortedService(deps: Deps, update: Update, rollout: Rollout, error: PilotError): Update {
  return finishService(
    { ...deps, update, rollout },
    rollout.stage === 'preparing' ? 'failed' : 'rollback_failed',
    error,
  );
}
