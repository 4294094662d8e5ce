import type { Deps } from '../deps';
import { type Failure, PilotError, rethrowUndecided, toPilotError } from '../domain/errors';
import type { Journal, Stage } from '../domain/journal';
import type { Update } from '../domain/update';
import { othersStopped, startStopped } from './backup/stopped-containers';
import { finishHealthy, finishRetagged } from './finish';
import { startUnlessHalf } from './rollback/restore-after-rollback';
import { rollbackFailed, whyRolledBack } from './rollback/rollback-ends';
import { checkpoint, type ActiveUpdate } from './run';

/** In them the old container is not in service, and bringing it back needs nothing but the journal. */
const HAS_WAY_BACK: readonly Stage[] = ['moving', 'swapping', 'loading', 'checking', 'rolling_back'];
/** A defect that ends each rollback must not keep the queue for ever. */
const ROLLBACKS = 3;

/**
 * The end of a run that failed unexpectedly, so that its progress is unknown. An untouched container is reported as unchanged, and
 * one that was seen healthy as updated; past the swap, the next turn rolls the update back, as after a crash. If that fails as
 * often as `ROLLBACKS`, the verdict says what is known. What it was rolled back for stays the cause.
 */
export async function endAborted(deps: Deps, update: Update, journal: Journal, error: unknown): Promise<void> {
  const run = { ...deps, update: deps.store.updates.get(update.id) ?? update, journal };
  if (journal.stage === 'preparing') {
    const troubles = await startStopped(run);
    return void (await finishRetagged(run, troubles.length === 0 ? 'failed' : 'rollback_failed', toPilotError(error)));
  }
  if (journal.stage === 'settled' && (await isFinished(run))) return;
  const { code, message } = toPilotError(error);
  if (HAS_WAY_BACK.includes(journal.stage) && (journal.aborted ?? 0) < ROLLBACKS)
    return leaveToRollback(run, { code, message });
  const more = await startUnlessHalf(run, othersStopped(run));
  const failure = new PilotError(code, `${message}${more}`, { cause: error });
  const reported = run.update.error === null ? failure : rollbackFailed(whyRolledBack(run.update), failure, null);
  await finishRetagged(run, 'rollback_failed', reported);
}

/** It stays `running`. */
function leaveToRollback(run: ActiveUpdate, failure: Failure): void {
  const { store, update, logger, journal } = run;
  const aborted = (journal.aborted ?? 0) + 1;
  store.transaction(() => {
    checkpoint(run, 'rolling_back', { aborted });
    if (update.error === null) store.updates.change(update.id, { error: failure });
  });
  logger.warn('an update that failed unexpectedly is rolled back', {
    update: update.id,
    stage: journal.stage,
    aborted,
  });
}

/** False: what failed fails again. */
async function isFinished(run: ActiveUpdate): Promise<boolean> {
  try {
    await finishHealthy(run, 'succeeded');
    return true;
  } catch (error) {
    rethrowUndecided(error);
    return false;
  }
}
