import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import { codeOf, PilotError } from '../domain/errors';
import type { ServiceInspect, TaskInspect } from '../domain/services/swarm-inspect';
import type { Rollout, RolloutStage } from '../domain/services/rollout';
import { nodesById, type Nodes } from '../domain/services/tasks';
import { DEFAULT_PROBE_TIMEOUT_MS } from '../domain/labels/read-labels';
import type { Update } from '../domain/update';

/** One update of a service while it runs. */
export interface ServiceRun extends Deps {
  update: Update;
  rollout: Rollout;
  /** The service as policy sees it, for its probe; null: it is gone. */
  target: Container | null;
  /** This engine; empty: it is no longer in the Swarm. */
  nodeId: string;
  /** Why the image could not be fetched in advance, for the step `pull`: another try would be made after an unquiesced backup. */
  pullFailure?: PilotError;
}

/** For each task; of a service that is gone, the default. */
export function probeTimeoutOf({ target }: Pick<ServiceRun, 'target'>): number {
  return target?.labels.probeTimeoutMs ?? DEFAULT_PROBE_TIMEOUT_MS;
}

/** Writes how far the run has come, before the act that it announces. */
export function checkpointRollout(run: ServiceRun, stage: RolloutStage, known: Partial<Rollout> = {}): void {
  run.rollout = { ...run.rollout, ...known, stage };
  run.store.updates.saveRollout(run.update.id, run.rollout);
}

/** Swarm counts a new version for its own notes on a service, too: those conflicts are tried again. */
const TRIES = 5;

/** Acts, and on a conflict again. Rejects with the conflict if it stays, or as `lookAgain`, which runs before each other try. */
export async function retryConflict<T>(act: () => Promise<T>, lookAgain = async (): Promise<void> => {}): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== 'changed_meanwhile' || tries === TRIES) throw error;
    }
    await lookAgain();
  }
}

export function serviceIsGone(name: string, options?: ErrorOptions): PilotError {
  return new PilotError('changed_meanwhile', `The service ${name} was removed externally.`, options);
}

/** `how`: goes on after "externally". */
export function serviceChanged(name: string, how = ''): PilotError {
  return new PilotError('changed_meanwhile', `The service ${name} was updated externally${how}.`);
}

/** By another client, in the middle of the update. */
export function scaledToZero(name: string): PilotError {
  return new PilotError('changed_meanwhile', `The service ${name} was scaled to 0 externally.`);
}

/** What Swarm knows of the service at this moment. */
export interface Seen {
  service: ServiceInspect;
  image: string;
  /** Without those that were over before the new image was requested. */
  tasks: TaskInspect[];
  nodes: Nodes;
}

/** Rejects with `changed_meanwhile` when the service is gone, or has an image that this update knows nothing of. */
export async function see({ swarm, rollout }: Pick<ServiceRun, 'swarm' | 'rollout'>): Promise<Seen> {
  const { serviceId, name, oldImage, newImage, overBefore = [] } = rollout;
  const service = await swarm.service(serviceId).catch((error: unknown) => {
    if (codeOf(error) !== 'service_not_found') throw error;
    throw serviceIsGone(name, { cause: error });
  });
  const image = service.Spec.TaskTemplate.ContainerSpec?.Image ?? '';
  if (image !== oldImage && image !== newImage) throw serviceChanged(name, `, to ${image}`);
  const [tasks, nodes] = await Promise.all([swarm.tasks(serviceId), swarm.nodes()]);
  return { service, image, tasks: tasks.filter(({ ID }) => !overBefore.includes(ID)), nodes: nodesById(nodes) };
}
