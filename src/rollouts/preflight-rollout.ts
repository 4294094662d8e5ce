import type { Container } from '../domain/container';
import type { ContainerInspect } from '../domain/engine-inspect';
import { PilotError } from '../domain/errors';
import { rolloutText } from '../domain/services/plan-rollout';
import { ownScale } from '../domain/services/rollout';
import type { ServiceSpec } from '../domain/services/swarm-inspect';
import type { Progress } from '../lib/logger';
import { dataDirectoryOf } from '../domain/plan/postgres-major';
import { comparePostgres } from '../updates/preflight/postgres-major';
import { pullTarget } from '../updates/pull-by-digest';
import { Skipped } from '../updates/run';
import { checkpointRollout, see, type ServiceRun } from './rollout-run';

/** Each node pulls the image; this one does before, where the data of the service is compared with it. */
export async function pullHere(run: ServiceRun, progress: Progress): Promise<string | Skipped> {
  const { newImageId, newImage } = run.rollout;
  if (run.pullFailure !== undefined) throw run.pullFailure;
  if (newImageId !== undefined && ownScale(run.rollout) !== null)
    return `${newImage} is image ${newImageId}, on this node`;
  const task = await taskHere(run);
  if (task === null) return new Skipped('the nodes pull it; the registry names this digest');
  const { imageId, wanted } = await pullTarget(run.engine, task, run.update, progress);
  checkpointRollout(run, 'preparing', { newImageId: imageId });
  return `${wanted} is image ${imageId}, on this node`;
}

/** Another rollout must not be under way or paused: its end could not be distinguished from that of this update. */
export async function preflightService(run: ServiceRun): Promise<string> {
  if (ownScale(run.rollout) !== null && run.rollout.lookedAhead !== undefined) return run.rollout.lookedAhead;
  const { service } = await see(run);
  const { State, Message = '' } = service.UpdateStatus ?? {};
  const { name } = run.rollout;
  if (State === 'updating' || State === 'rollback_started')
    throw blocked(
      `Swarm is already rolling out ${name} (${Message}). Request the update again when the rollout is finished.`,
    );
  if (State === 'paused' || State === 'rollback_paused')
    throw blocked(
      `The last rollout of ${name} is paused: ${Message}. Finish it first: docker service rollback ${name}, or docker service update --force ${name}.`,
    );
  const data = await compareData(run, service.Spec);
  const found = `no other rollout of ${name} is under way; ${rolloutText(service.Spec)}`;
  return data === null ? found : `${found}; ${data}`;
}

/** The guards of a PostgreSQL server: the same major, the same directory, in a volume that the next task has, too. */
async function compareData(run: ServiceRun, spec: ServiceSpec): Promise<string | null> {
  const { engine, target, update, rollout } = run;
  if (target?.application !== 'postgres') return null;
  const old = await taskHere(run);
  if (old === null || rollout.newImageId === undefined)
    throw blocked(`No task of ${target.name} runs on this node now, so the version of its data cannot be read.`);
  const compared = await comparePostgres(
    { engine, old, container: target, update },
    await engine.inspectImage(rollout.newImageId),
  );
  mustLast(target, dataDirectoryOf(old), spec);
  return compared;
}

/** The volume of a task alone is lost with it. */
function mustLast({ name }: Container, directory: string, { TaskTemplate }: ServiceSpec): void {
  const mounts = TaskTemplate.ContainerSpec?.Mounts ?? [];
  const lasts = mounts.some(
    ({ Type, Source, Target }) => Type !== 'tmpfs' && !!Source && `${directory}/`.startsWith(`${Target}/`),
  );
  if (lasts) return;
  throw blocked(
    `${name} has its data in ${directory}, which is in no named volume and in no folder of the host: a new task would start with an empty database. Copy the data into a named volume that is mounted there.`,
  );
}

/** The task whose data is on this node; null: the service has none. */
async function taskHere({ engine, target }: ServiceRun): Promise<ContainerInspect | null> {
  const data = target?.swarm?.data;
  return data === undefined || !('containerId' in data) ? null : engine.inspectContainer(data.containerId);
}

function blocked(message: string): PilotError {
  return new PilotError('preflight_blocked', message);
}
