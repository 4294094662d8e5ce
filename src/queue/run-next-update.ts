import type { Deps } from '../deps';
import { codeOf, messageOf, toPilotError } from '../domain/errors';
import type { Journal } from '../domain/journal';
import type { Update } from '../domain/update';
import { finishRetagged, finishUnstarted } from '../updates/finish';
import { othersStopped, startStopped } from '../updates/backup/stopped-containers';
import { endAbortedService } from '../rollouts/finish-rollout';
import { updateService } from '../rollouts/run-rollout';
import { updateContainer } from '../updates/update-container';

/** What was interrupted comes first, then automatic before manual. False: there is none. Rejects as `updateContainer`. */
export async function runNextUpdate(deps: Deps): Promise<boolean> {
  const update = deps.store.updates.withStatus('running')[0] ?? deps.store.updates.nextQueued();
  if (update !== null) await runToItsEnd(deps, update);
  return update !== null;
}

/** A defect must not stop the queue, nor leave an update without a verdict. */
async function runToItsEnd(deps: Deps, update: Update): Promise<void> {
  try {
    await (update.kind === 'service' ? updateService(deps, update) : updateContainer(deps, update));
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    deps.logger.error('an update broke off', { update: update.id, reason: messageOf(error), stack: stackOf(error) });
    const journal = deps.store.updates.journal(update.id);
    const rollout = deps.store.updates.rollout(update.id);
    if (rollout !== null) await endAbortedService(deps, update, rollout, toPilotError(error));
    else if (journal === null)
      finishUnstarted(deps, update, { status: 'failed', code: codeOf(error), reason: messageOf(error) });
    else await endAborted(deps, update, journal, error);
  }
}

/** Its progress is unknown: only an untouched container is reported as unchanged. */
async function endAborted(deps: Deps, update: Update, journal: Journal, error: unknown): Promise<void> {
  const run = { ...deps, update, journal };
  const untouched = journal.stage === 'preparing';
  const troubles = await startStopped(run, untouched ? journal.stopped : othersStopped(run));
  await finishRetagged(run, untouched && troubles.length === 0 ? 'failed' : 'rollback_failed', toPilotError(error));
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
