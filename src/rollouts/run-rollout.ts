import type { Deps } from '../deps';
import { codeOf, toPilotError } from '../domain/errors';
import type { RolloutStage } from '../domain/services/rollout';
import type { Update } from '../domain/update';
import { whyRolledBack } from '../updates/rollback/rollback-ends';
import { Skipped, step } from '../updates/run';
import { checkService } from './check-rollout';
import { finishService } from './finish-rollout';
import { followRollout } from './follow-rollout';
import { openService } from './open-rollout';
import { preflightService } from './preflight-rollout';
import { requestRollout } from './request-rollout';
import { rollBackService } from './undo-rollout';
import { checkpoint, type ServiceRun } from './rollout-run';

/**
 * Updates one Swarm service to one digest, from the preflight to the verdict; or, after a crash, continues from the actual state
 * of the service. Swarm rolls out and rolls back; this asks for it, follows it, probes, and reports.
 *
 * Rejects only with `engine_unreachable`: then the update stays `running`, and is called again once an engine answers.
 */
export async function updateService(deps: Deps, update: Update): Promise<Update> {
  const run = await openService(deps, update);
  if ('ended' in run) return run.ended;
  try {
    if (isAt(run, 'preparing')) await prepare(run);
    if (isAt(run, 'preparing') || isAt(run, 'rolling_out')) await rollOut(run);
    if (isAt(run, 'checking')) await check(run);
    if (isAt(run, 'rolling_back')) return await rollBackService(run, whyRolledBack(run.update));
  } catch (error) {
    if (codeOf(error) === 'engine_unreachable') throw error;
    if (isAt(run, 'preparing')) return finishService(run, 'failed', toPilotError(error));
    return rollBackService(run, toPilotError(error));
  }
  return finishService(run, 'succeeded', null);
}

/** Nothing is asked of Swarm yet. */
async function prepare(run: ServiceRun): Promise<void> {
  await step(run, 'backup', () => Promise.resolve(new Skipped('no service of its stack carries backup.kind')));
  await step(run, 'pull', () => Promise.resolve(new Skipped('the nodes pull it; the registry names this digest')));
  await step(run, 'preflight', () => preflightService(run));
}

async function rollOut(run: ServiceRun): Promise<void> {
  await step(run, 'rollout', async (progress) => {
    await requestRollout(run);
    return followRollout(run, progress);
  });
  checkpoint(run, 'checking');
}

async function check(run: ServiceRun): Promise<void> {
  await step(run, 'health_check', async (progress) => {
    const seen = await checkService(run, run.rollout.newImage, progress);
    checkpoint(run, 'checking', { seen });
    return seen;
  });
  await step(run, 'cleanup', () => Promise.resolve(new Skipped('Swarm removes the old tasks on its own')));
  checkpoint(run, 'settled');
}

function isAt(run: ServiceRun, stage: RolloutStage): boolean {
  return run.rollout.stage === stage;
}
