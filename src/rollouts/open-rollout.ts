import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { MOST_ATTEMPTS } from '../domain/interruptions';
import { newReferenceFor } from '../domain/images/image-reference';
import type { Rollout } from '../domain/services/rollout';
import type { Update } from '../domain/update';
import { finishUnstarted, type Unstarted } from '../updates/finish';
import { beginUpdate, judgeStart } from '../updates/start/judge-start';
import { readContainers } from '../containers/read-containers';
import { serviceFailureOf } from '../services/look-at-target';
import { certainRoleOf, servicesOfManager } from '../services/read-targets';
import { rethrowUndecided } from '../domain/errors';
import { interrupted } from '../updates/start/open-run';
import { finishUntouchedService } from './finish-rollout';
import type { ServiceRun } from './rollout-run';
import { removeReaders, scaleBackAndVerify } from './scale-to-zero';

/**
 * Takes up the update of a service: for the first time, by looking again at what the decision saw; or after a crash, by what was
 * written down. `ended`: nothing runs now: the update has its end, or waits in the queue.
 */
export async function openService(deps: Deps, update: Update): Promise<ServiceRun | { ended: Update }> {
  const rollout = deps.store.updates.rollout(update.id);
  const role = await certainRoleOf(deps);
  if (role.role !== 'manager') {
    if (rollout !== null) return resumed(deps, update, rollout, '');
    return { ended: finishUnstarted(deps, update, noManager(update)) };
  }
  return rollout === null ? startService(deps, update, role.nodeId) : resumed(deps, update, rollout, role.nodeId);
}

async function startService(deps: Deps, update: Update, nodeId: string): Promise<ServiceRun | { ended: Update }> {
  const target = (await allServices(deps)).find(({ name }) => name === update.container);
  if (target === undefined) return { ended: finishUnstarted(deps, update, noService(update)) };
  const refusal = target.swarm?.refusal ?? null;
  if (refusal !== null)
    return { ended: finishUnstarted(deps, update, { status: 'failed', code: 'service_refused', reason: refusal }) };
  const ended = await judgeStart(deps, update, target);
  if (ended !== null) return { ended };
  const { Spec } = await deps.swarm.service(target.id);
  const unhealthyBefore = await serviceFailureOf(deps, target);
  const newReference = newReferenceFor(target.reference, update.to.reference);
  const rollout: Rollout = {
    stage: 'preparing',
    serviceId: target.id,
    name: target.name,
    oldImage: Spec.TaskTemplate.ContainerSpec?.Image ?? '',
    newImage: `${newReference}@${update.to.digest ?? ''}`,
    oldReference: target.reference,
    newReference,
    ...(unhealthyBefore === null ? {} : { unhealthyBefore }),
  };
  const started = deps.store.transaction(() => {
    deps.store.updates.saveRollout(update.id, rollout);
    return beginUpdate(deps, update);
  });
  return { ...deps, update: started, rollout, target, nodeId };
}

/** The labels are those of now; without the service, of none, and the run finds out that it is gone. */
async function resumed(
  deps: Deps,
  update: Update,
  rollout: Rollout,
  nodeId: string,
): Promise<ServiceRun | { ended: Update }> {
  deps.logger.warn('recovering an interrupted update', { update: update.id, stage: rollout.stage });
  const run: ServiceRun = { ...deps, update, rollout, target: null, nodeId };
  if (nodeId === '') return run;
  if (rollout.stage === 'preparing') await removeReaders(run);
  if (rollout.stage === 'preparing' && rollout.scaled !== undefined) return beginAgain(run);
  return withTarget(run);
}

async function withTarget(run: ServiceRun): Promise<ServiceRun> {
  const target = (await allServices(run)).find(({ id }) => id === run.rollout.serviceId);
  return { ...run, target: target ?? null };
}

/** What was scaled to 0 is scaled back and healthy first, as it was; then the backup is taken from its beginning. */
async function beginAgain(run: ServiceRun): Promise<ServiceRun | { ended: Update }> {
  const { attempt = 1, engineLost, scaled = [] } = run.rollout;
  const next = engineLost === true ? attempt : attempt + 1;
  if (run.mode !== 'act' || next > MOST_ATTEMPTS)
    return { ended: await finishUntouchedService(run, interrupted(attempt)) };
  try {
    await scaleBackAndVerify(run, scaled, () => undefined);
  } catch (error) {
    rethrowUndecided(error);
    return { ended: await finishUntouchedService(run, error) };
  }
  const fresh = { scaled: undefined, newImageId: undefined, lookedAhead: undefined, engineLost: undefined };
  run.rollout = { ...run.rollout, ...fresh, attempt: next };
  run.store.updates.saveRollout(run.update.id, run.rollout);
  return withTarget(run);
}

async function allServices(deps: Deps): Promise<Container[]> {
  return servicesOfManager(deps, await readContainers(deps.engine, deps.selfId));
}

function noManager({ container }: Update): Unstarted {
  const reason = `${container} was not changed: the engine is no longer a manager of a Swarm. Run diun-pilot on a manager.`;
  return { status: 'failed', code: 'service_refused', reason };
}

function noService({ container }: Update): Unstarted {
  return { status: 'failed', code: 'service_not_found', reason: `The service ${container} no longer exists.` };
}
