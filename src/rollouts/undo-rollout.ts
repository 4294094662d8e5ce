import type { PilotError } from '../domain/errors';
import { codeOf } from '../domain/errors';
import type { HealthFailure } from '../domain/health/health-failure';
import type { Update } from '../domain/update';
import { rollbackFailed } from '../updates/rollback/rollback-ends';
import { step } from '../updates/run';
import type { Progress } from '../lib/logger';
import { serviceFailureOf } from '../services/failure-now';
import { checkService } from './check-rollout';
import { finishService } from './finish-rollout';
import { followRollback } from './follow-rollout';
import { updateUnchanged, withImage } from './request-rollout';
import { checkpoint, see, type ServiceRun } from './rollout-run';

/**
 * Takes the service back to the image from before, by Swarm's own rollback, and asks the health of its tasks; `cause` is what for.
 * What another client changed is left alone: only that client knows what it wants.
 */
export async function rollBackService(run: ServiceRun, cause: PilotError): Promise<Update> {
  if (cause.code === 'changed_meanwhile') return finishService(run, 'rollback_failed', cause);
  run.store.transaction(() => {
    checkpoint(run, 'rolling_back');
    run.update = run.store.updates.change(run.update.id, { error: { code: cause.code, message: cause.message } });
  });
  try {
    await step(run, 'rollback', (progress) => goBack(run, progress));
    await step(run, 'rollback_health_check', (progress) => checkService(run, run.rollout.oldImage, progress));
  } catch (failure) {
    if (codeOf(failure) === 'engine_unreachable') throw failure;
    return finishService(run, 'rollback_failed', rollbackFailed(cause, failure, await asBefore(run, failure)));
  }
  return finishService(run, 'rolled_back', cause);
}

/** Swarm may have gone back on its own (`failure_action: rollback`), or before a crash. */
async function goBack(run: ServiceRun, progress: Progress): Promise<string> {
  const { service, image } = await see(run);
  const { oldImage, newImage } = run.rollout;
  if (image === newImage) {
    const remembered = service.PreviousSpec?.TaskTemplate.ContainerSpec?.Image === oldImage;
    await updateUnchanged(run, service, (now) =>
      remembered ? run.swarm.rollBack(now) : run.swarm.update(now, withImage(now.Spec, oldImage)),
    );
  }
  return followRollback(run, progress);
}

/** Whether the old version fails as it did before the update, so that its health says nothing. */
async function asBefore(run: ServiceRun, failure: unknown): Promise<HealthFailure | null> {
  const { unhealthyBefore } = run.rollout;
  if (unhealthyBefore === undefined || run.target === null || codeOf(failure) !== 'unhealthy') return null;
  const now = await serviceFailureOf(run, run.target);
  return now?.of === unhealthyBefore.of ? unhealthyBefore : null;
}
