import { lookForLeftovers } from '../containers/adopt-aside';
import { insistOr } from '../containers/insist';
import type { Deps } from '../deps';
import { PilotError, rethrowUndecided, toPilotError, withCause } from '../domain/errors';
import { reasonOfRollout, type Rollout } from '../domain/services/rollout';
import type { Update, Verdict } from '../domain/update';
import { storeEnd } from '../updates/finish';
import { removeReaders, scaleBack, scaleBackAndVerify } from './scale-to-zero';
import type { ServiceRun } from './rollout-run';

/**
 * Stores the verdict, what is to be remembered of it and its mail; every service that was scaled to 0 is scaled back before, unless
 * `mayRun` is false: its data is half that of the backup. Rejects only with `engine_unreachable`: to be called again.
 */
export async function finishService(
  run: ServiceRun,
  verdict: Verdict,
  error: PilotError | null,
  { mayRun = true }: { mayRun?: boolean } = {},
): Promise<Update> {
  const troubles = mayRun ? await scaleBack(run, run.rollout.scaled ?? []) : [];
  await insistOr(run, 'the look for the containers of the backup', () => removeReaders(run), undefined);
  const cause = troubles.length === 0 ? error : notScaledBack(verdict, error, troubles);
  const ended = troubles.length === 0 ? verdict : 'rollback_failed';
  const reason = reasonOfRollout(run.rollout, ended, cause);
  const followUp = ended === 'succeeded' ? run.update.followUp : null;
  return storeEnd(run, { verdict: ended, error: cause, reason, followUp }, () => lookForLeftovers(run));
}

/** Only another service is in trouble, unless the verdict says that this one is, too. */
function notScaledBack(verdict: Verdict, error: PilotError | null, troubles: readonly string[]): PilotError {
  const said = `${troubles.join('; ')}.`;
  if (error === null) return new PilotError('other_unhealthy', said);
  const code = verdict === 'rollback_failed' && error.code !== 'data_changed' ? error.code : 'other_unhealthy';
  return new PilotError(code, withCause(said, 'Before that:', error), { cause: error });
}

/** The end of a run that requested no new image: what was scaled to 0 for the backup runs again, and is healthy as before. */
export async function finishUntouchedService(run: ServiceRun, error: unknown): Promise<Update> {
  const cause = toPilotError(error);
  try {
    await scaleBackAndVerify(run, run.rollout.scaled ?? [], () => undefined);
  } catch (failure) {
    rethrowUndecided(failure);
    const message = withCause(failure, 'The update was aborted because:', cause);
    return finishService(run, 'rollback_failed', new PilotError(cause.code, message, { cause: failure }));
  }
  return finishService(run, 'failed', cause);
}

/** After a defect: only a service of which nothing was requested is reported as unchanged. */
export async function endAbortedService(
  deps: Deps,
  update: Update,
  rollout: Rollout,
  error: PilotError,
): Promise<Update> {
  const run: ServiceRun = { ...deps, update, rollout, target: null, nodeId: '' };
  return rollout.stage === 'preparing'
    ? finishUntouchedService(run, error)
    : finishService(run, 'rollback_failed', error);
}
