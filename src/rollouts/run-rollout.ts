import { insistOr } from '../containers/insist';
import type { Deps } from '../deps';
import { isServer, membersOf, backupPlaceOf } from '../domain/backups/backup';
import type { Container } from '../domain/container';
import { isEngineLost, isRefusedByDatabase, PilotError, rethrowUndecided, toPilotError } from '../domain/errors';
import type { RolloutStage } from '../domain/services/rollout';
import type { Update } from '../domain/update';
import { serverAnswers } from '../restores/those-that-ran';
import { asReadNow, readServices } from '../services/read-targets';
import { whyRolledBack } from '../updates/rollback/rollback-ends';
import { step } from '../updates/run';
import { checkService } from './check-rollout';
import { backUpStack, changedData } from './data-of-stack';
import { finishService, finishUntouchedService } from './finish-rollout';
import { keepStackTag } from './keep-stack-tag';
import { openService } from './open-rollout';
import { preflightService, pullHere } from './preflight-rollout';
import { followRollout, requestRollout } from './roll-out';
import { checkpointRollout, see, serviceIsGone, type ServiceRun } from './rollout-run';
import { othersServe, release, scaledUpByOthers, scaleBackAndVerify } from './scale-to-zero';
import { restoreStack, rollBackService } from './undo-rollout';

/**
 * Updates one Swarm service to one digest, from the backup to the verdict; or, after a crash, continues from the actual state
 * of the service. Swarm rolls out and rolls back; this asks for it, follows it, probes, and reports.
 *
 * Rejects only with `engine_unreachable`, or as the database refuses: then the update stays `running`, and is called again once an engine
 * answers, or the database can be written.
 */
export async function updateService(deps: Deps, update: Update): Promise<Update> {
  const run = await openService(deps, update);
  if ('ended' in run) return run.ended;
  try {
    await databasesAnswer(run);
    return await toItsEnd(run);
  } catch (error) {
    if (isEngineLost(error)) checkpointRollout(run, run.rollout.stage, { engineLost: true });
    // Nothing was requested yet: what was scaled to 0 for the backup does not wait for the database.
    if (isRefusedByDatabase(error) && isAt(run, 'preparing'))
      await scaleBackAndVerify(run, run.rollout.scaled ?? [], SHOWN_NOWHERE);
    throw error;
  }
}

async function toItsEnd(run: ServiceRun): Promise<Update> {
  try {
    if (isAt(run, 'preparing')) await prepare(run);
    if (isAt(run, 'preparing') || isAt(run, 'rolling_out')) await rollOut(run);
    if (isAt(run, 'checking')) await check(run);
    if (isAt(run, 'settled')) await settle(run);
    if (isAt(run, 'rolling_back')) return await rollBackService(run, whyRolledBack(run.update));
    if (isAt(run, 'restoring')) return await restoreStack(run);
  } catch (error) {
    rethrowUndecided(error);
    if (isAt(run, 'preparing')) return finishUntouchedService(run, error);
    return rollBackService(run, toPilotError(error));
  }
  return finishService(run, 'succeeded', null);
}

/** Nothing is asked of Swarm yet but to scale to 0 what is backed up. */
async function prepare(run: ServiceRun): Promise<void> {
  await step(run, 'backup', (progress) => backUpStack(run, progress));
  await step(run, 'pull', (progress) => pullHere(run, progress));
  await step(run, 'preflight', () => preflightService(run));
}

async function rollOut(run: ServiceRun): Promise<void> {
  await step(run, 'rollout', async (progress) => {
    if (isAt(run, 'preparing') && (await scaledUpByOthers(run, run.rollout.scaled ?? [])).length > 0) release(run);
    await requestRollout(run);
    return followRollout(run, progress);
  });
  checkpointRollout(run, 'checking');
}

async function check(run: ServiceRun): Promise<void> {
  await step(run, 'health_check', async (progress) => {
    const seen = [await checkService(run, run.rollout.newImage, progress), ...(await changedData(run, progress))];
    const others = await othersServe(run, progress);
    checkpointRollout(run, 'checking', { seen: seen.join('; ') });
    return [...seen, ...others].join('; ');
  });
  checkpointRollout(run, 'settled');
}

/** The other services were checked for minutes, or a crash came: another client may have put the old image back since. */
async function settle(run: ServiceRun): Promise<void> {
  const { name, newImage, newReference } = run.rollout;
  const seen = run.nodeId === '' ? null : await insistOr(run, 'the last look at the service', () => see(run), null);
  if (seen !== null && seen.image !== newImage)
    throw new PilotError(
      'changed_meanwhile',
      `The service ${name} was rolled back externally after ${newReference} was healthy.`,
    );
  await step(run, 'cleanup', () => keepStackTag(run));
}

function isAt(run: ServiceRun, stage: RolloutStage): boolean {
  return run.rollout.stage === stage;
}

/** No step of the update runs yet that could show it. */
const SHOWN_NOWHERE = (): void => undefined;

/**
 * An engine that restarted runs the tasks of its services in new containers, and PostgreSQL answers only after its recovery. So the
 * databases of the set are waited for, each within the time of its probe, before a run reads or restores them. What does not answer
 * even then is for the run to meet and to report. Rejects only with `engine_unreachable`.
 */
async function databasesAnswer(run: ServiceRun): Promise<void> {
  const { target } = run;
  if (target === null) return;
  const servers = membersOf(backupPlaceOf(target), await readServices(run, [])).filter(isServer);
  for (const server of servers) {
    if (server.id === target.id && !isUnchanged(run)) continue;
    const known = { name: server.name, readyWithinMs: server.labels.probeTimeoutMs };
    await serverAnswers(run, known, () => taskNow(run, server), SHOWN_NOWHERE);
  }
}

/** The updated service itself runs its old image on its own data; at any other stage the rollout says whether it works. */
function isUnchanged({ rollout: { stage } }: ServiceRun): boolean {
  return stage === 'preparing' || stage === 'restoring';
}

async function taskNow(run: ServiceRun, { id, name }: Container): Promise<Container> {
  const service = (await readServices(run, [])).find((each) => each.id === id);
  if (service === undefined) throw serviceIsGone(name);
  return asReadNow(run.engine, service);
}
