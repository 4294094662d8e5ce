import { codeOf, isEngineLost, PilotError } from '../domain/errors';
import type { ServiceInspect, ServiceSpec } from '../domain/services/swarm-inspect';
import { ownScale } from '../domain/services/rollout';
import { isOver } from '../domain/services/tasks';
import { checkpoint, see, type ServiceRun } from './rollout-run';
import { replicasOf, withReplicas } from './scale-to-zero';

/** Swarm counts a new version for its own notes on a rollout, too: those conflicts are tried again. */
const TRIES = 5;

/**
 * Asks Swarm for the new image once, whatever was asked before a crash. Everything else of the spec stays as it is. Rejects with
 * `changed_meanwhile`, at the stage `preparing`, if another client updates the service at the same moment.
 */
export async function requestRollout(run: ServiceRun): Promise<void> {
  const { service, image, tasks } = await see(run);
  const { stage, oldImage, newImage, statusBefore = null } = run.rollout;
  if (stage === 'rolling_out') {
    if (image === newImage) return; // it was accepted before the crash
    if (statusOf(service) !== statusBefore) return; // Swarm has rolled it back since
  } else if (image !== oldImage)
    throw new PilotError('changed_meanwhile', `The service ${run.rollout.name} was updated externally.`);
  const overBefore = [...(run.rollout.overBefore ?? []), ...tasks.filter(isOver).map(({ ID }) => ID)];
  checkpoint(run, 'rolling_out', { statusBefore: statusOf(service), overBefore });
  try {
    await updateUnchanged(run, service, (now) => run.swarm.rollOut(now, scaledUp(run, withImage(now.Spec, newImage))));
  } catch (error) {
    if (!isEngineLost(error)) checkpoint(run, 'preparing');
    throw error;
  }
}

/**
 * Acts on the service as it was seen; on a conflict again, as long as its spec is the same. Rejects with `changed_meanwhile`, and
 * nothing is changed.
 */
export async function updateUnchanged(
  run: ServiceRun,
  seen: ServiceInspect,
  act: (now: ServiceInspect) => Promise<void>,
): Promise<void> {
  let now = seen;
  for (let tries = 1; ; tries++) {
    try {
      return await act(now);
    } catch (error) {
      if (codeOf(error) !== 'changed_meanwhile' || tries === TRIES) throw error;
      now = (await see(run)).service;
      if (JSON.stringify(now.Spec) !== JSON.stringify(seen.Spec))
        throw new PilotError(
          'changed_meanwhile',
          `The service ${run.rollout.name} was updated externally at the same moment.`,
        );
    }
  }
}

/** In the same request, where the service was scaled to 0 for its backup: the old image must not run on data that is backed up. */
export function scaledUp({ rollout }: Pick<ServiceRun, 'rollout'>, spec: ServiceSpec): ServiceSpec {
  const own = ownScale(rollout);
  return own === null || replicasOf(spec) > 0 ? spec : withReplicas(spec, own.replicas);
}

export function withImage(spec: ServiceSpec, Image: string): ServiceSpec {
  const { TaskTemplate } = spec;
  return { ...spec, TaskTemplate: { ...TaskTemplate, ContainerSpec: { ...TaskTemplate.ContainerSpec, Image } } };
}

function statusOf({ UpdateStatus }: ServiceInspect): string {
  return JSON.stringify(UpdateStatus ?? null);
}
