import { asideName, isOurs } from '../containers/artifact-names';
import { asOther } from '../containers/check-health';
import { discard } from '../containers/start-stop-remove';
import type { Container } from '../domain/container';
import { codeOf, messageOf, PilotError, rethrowEngineLost } from '../domain/errors';
import { formatDuration } from '../domain/format';
import { type Idle, otherScales, type Scaled } from '../domain/services/rollout';
import { replicasOf, type ServiceInspect, type ServiceSpec, stopGraceMs } from '../domain/services/swarm-inspect';
import { isAlive, nodesById, taskText } from '../domain/services/tasks';
import type { Progress } from '../lib/logger';
import { readerOf } from '../restores/files/one-off';
import { serviceFailureOf } from '../services/look-at-target';
import { readServices } from '../services/read-targets';
import { checkService } from './check-rollout';
import { checkpointRollout, retryConflict, scaledToZero, type ServiceRun } from './rollout-run';

const POLL_MS = 500;
const MORE_MS = 60_000;

/** What is known of each writer before it is scaled to 0; `idle`: those that are at 0 already. */
export async function howTheyAre(
  run: ServiceRun,
  writers: readonly Container[],
): Promise<{ scaled: Scaled[]; idle: Idle[] }> {
  const scaled: Scaled[] = [];
  const idle: Idle[] = [];
  for (const writer of writers) {
    const { Spec, Version } = await run.swarm.service(writer.id);
    const replicas = replicasOf(Spec);
    if (replicas === 0) {
      idle.push({ serviceId: writer.id, name: writer.name, version: Version.Index });
      continue;
    }
    const well = (await serviceFailureOf(run, writer)) === null;
    const { reader } = await createReader(run, writer);
    scaled.push({ serviceId: writer.id, name: writer.name, replicas, well, ...(reader === null ? {} : { reader }) });
  }
  return { scaled, idle };
}

/** Swarm removes the containers of a service that is scaled to 0: so one is created before, through which its files are read. */
async function createReader({ engine, update }: ServiceRun, writer: Container): Promise<{ reader: string | null }> {
  const data = writer.swarm?.data;
  if (writer.labels.backup?.kind !== 'files' || data === undefined || !('containerId' in data)) return { reader: null };
  const owner = await engine.inspectContainer(data.containerId);
  const reader = asideName(writer.name, 'backup', update.id);
  await engine.createContainer(reader, await readerOf(engine, owner));
  return { reader };
}

/** Those of this update, also of one whose entry a crash prevented. One that cannot be removed is reported in the log. */
export async function removeReaders({ engine, update, logger }: ServiceRun): Promise<void> {
  const end = asideName('', 'backup', update.id);
  for (const { id, name } of await engine.containers()) {
    if (name === null || !isOurs(name) || !name.endsWith(end)) continue;
    try {
      await discard(engine, id);
    } catch (error) {
      rethrowEngineLost(error);
      logger.warn('a container of the backup could not be removed', { name, reason: messageOf(error) });
    }
  }
}

/**
 * Scales a service to 0, and waits until none of its tasks runs. What another client has made of its replicas since they were read
 * counts: it is scaled back to that, and one that is at 0 by now is left there. Rejects with `backup_failed`.
 */
export async function scaleToZero(run: ServiceRun, { serviceId, name }: Scaled, progress: Progress): Promise<void> {
  progress(`scaling ${name} to 0`);
  try {
    const service = await scale(run, serviceId, 0, (now) => {
      if (replicasOf(now.Spec) === 0) throw atZeroByOthers(run, now);
      noteReplicas(run, now);
    });
    await noTaskRuns(run, service, progress);
  } catch (error) {
    rethrowEngineLost(error);
    if (codeOf(error) === 'backup_failed') throw error;
    const message = `${name} could not be scaled to 0 for the backup: ${messageOf(error)}`;
    throw new PilotError('backup_failed', message, { cause: error });
  }
}

/** It is not scaled back. */
function atZeroByOthers(run: ServiceRun, { ID, Spec }: ServiceInspect): PilotError {
  noteScaled(run, ID, { back: true });
  return scaledToZero(Spec.Name);
}

/** To be written before a service is scaled to 0: so many replicas are wanted by now; if it is there already, as many as before. */
export function noteReplicas(run: ServiceRun, { ID, Spec }: ServiceInspect): void {
  const replicas = replicasOf(Spec);
  noteScaled(run, ID, { ...(replicas > 0 ? { replicas } : {}), back: false });
}

/** From now on, 0 replicas are what another client wants. */
export function noteScaledBack(run: ServiceRun, serviceId: string): void {
  noteScaled(run, serviceId, { back: true });
}

function noteScaled(run: ServiceRun, serviceId: string, known: Pick<Scaled, 'back'> & Partial<Scaled>): void {
  const { scaled = [], stage } = run.rollout;
  const noted = scaled.map((each) => (each.serviceId === serviceId ? { ...each, ...known } : each));
  if (scaled.length > 0) checkpointRollout(run, stage, { scaled: noted });
}

/** Waits until no task of a service that is scaled to 0 runs any longer. */
export async function noTaskRuns(run: ServiceRun, service: ServiceInspect, progress: Progress): Promise<void> {
  const { swarm, clock } = run;
  const withinMs = stopGraceMs(service.Spec) + MORE_MS;
  const startedAt = clock.now().getTime();
  for (;;) {
    const [left] = (await swarm.tasks(service.ID)).filter(isAlive);
    if (left === undefined) return;
    const words = taskText(service, left, nodesById(await swarm.nodes()));
    progress(words);
    if (clock.now().getTime() >= startedAt + withinMs)
      throw new PilotError(
        'backup_failed',
        `It was scaled to 0 for the backup, and did not stop within ${formatDuration(withinMs)}: ${words}.`,
      );
    await clock.sleep(POLL_MS);
  }
}

/**
 * Which of them have tasks all the same, and which of those that were at 0 before were changed since, so that they may have had
 * some: by name. One that is gone has none.
 */
export async function scaledUpByOthers({ swarm, rollout }: ServiceRun, which: readonly Scaled[]): Promise<string[]> {
  const found: string[] = [];
  for (const { serviceId, name, version } of rollout.idle ?? []) {
    const service = await ifThere(swarm.service(serviceId));
    if (service !== null && service.Version.Index !== version) found.push(name);
  }
  for (const { serviceId, name } of which) {
    const service = await ifThere(swarm.service(serviceId));
    if (service !== null && replicasOf(service.Spec) > 0) found.push(name);
  }
  return found;
}

/** Scales them back, in order; what another client has scaled up, or to 0 since it was scaled back, is left. Failures are returned as text. */
export async function scaleBack(run: ServiceRun, which: readonly Scaled[]): Promise<string[]> {
  const troubles: string[] = [];
  for (const { serviceId, name, replicas, back = false } of which) {
    try {
      const service = await ifThere(run.swarm.service(serviceId));
      if (service === null) troubles.push(`${name} was removed externally`);
      else if (replicasOf(service.Spec) === 0 && !(back && isWanted(service))) await scale(run, serviceId, replicas);
      noteScaledBack(run, serviceId);
    } catch (error) {
      rethrowEngineLost(error);
      run.logger.error('a service is not scaled back', {
        update: run.update.id,
        service: name,
        reason: messageOf(error),
      });
      troubles.push(
        `${name} could not be scaled back to ${replicas} (docker service scale ${name}=${replicas}): ${messageOf(error)}`,
      );
    }
  }
  return troubles;
}

/** To 0 a client scales it; a rollback only comes there, since the spec before the new image had 0 replicas for the backup. */
function isWanted({ UpdateStatus }: ServiceInspect): boolean {
  return UpdateStatus?.State?.startsWith('rollback') !== true;
}

/**
 * Scales them back, and waits until each that was healthy before is so again. Resolves with what was seen of each; rejects with
 * `unhealthy` when all have been scaled back.
 */
export async function scaleBackAndVerify(
  run: ServiceRun,
  which: readonly Scaled[],
  progress: Progress,
): Promise<string[]> {
  const troubles = await scaleBack(run, which);
  const targets = which.length === 0 ? [] : await readServices(run, []);
  const seen: string[] = [];
  for (const { serviceId, name } of which.filter(({ well }) => well)) {
    const target = targets.find(({ id }) => id === serviceId);
    if (target === undefined) continue; // scaleBack said so
    try {
      const { Spec } = await run.swarm.service(serviceId);
      if (replicasOf(Spec) === 0) {
        seen.push(`${name} was scaled to 0 externally`);
        continue;
      }
      const image = Spec.TaskTemplate.ContainerSpec?.Image ?? '';
      const rollout = { ...run.rollout, serviceId, name, oldImage: image, newImage: image };
      progress(`${name}, which was scaled to 0 for the backup`);
      seen.push(
        `${name}, which was scaled to 0 for the backup: ${await checkService({ ...run, target, rollout }, image, progress)}`,
      );
    } catch (error) {
      rethrowEngineLost(error);
      troubles.push(`${name} is not healthy: ${messageOf(error)}`);
    }
  }
  if (troubles.length > 0) throw new PilotError('unhealthy', `${troubles.join('; ')}.`);
  return seen;
}

/** From now on they may write, so no restore is made that would lose that. */
export function release(run: ServiceRun): void {
  if ((run.rollout.scaled ?? []).length > 0 && run.rollout.released !== true)
    checkpointRollout(run, run.rollout.stage, { released: true });
}

export function withReplicas(spec: ServiceSpec, Replicas: number): ServiceSpec {
  return { ...spec, Mode: { Replicated: { ...spec.Mode.Replicated, Replicas } } };
}

/** Resolves with the service as it is then: scaled up once at most, and left as another client scales it. `before` has it as it is before each try; what that throws, this rejects with. */
function scale(
  { swarm }: ServiceRun,
  serviceId: string,
  replicas: number,
  before: (now: ServiceInspect) => void = () => undefined,
): Promise<ServiceInspect> {
  return retryConflict(async () => {
    let now = await swarm.service(serviceId);
    before(now);
    if (replicas > 0 && replicasOf(now.Spec) > 0) return now;
    while (replicasOf(now.Spec) !== replicas) {
      await swarm.update(now, withReplicas(now.Spec, replicas));
      now = await swarm.service(serviceId);
      if (replicas > 0) return now;
      if (replicasOf(now.Spec) > 0) before(now);
    }
    return now;
  });
}

async function ifThere(asked: Promise<ServiceInspect>): Promise<ServiceInspect | null> {
  try {
    return await asked;
  } catch (error) {
    if (codeOf(error) === 'service_not_found') return null;
    throw error;
  }
}

/** Those that were scaled to 0 for the backup. Rejects with `other_unhealthy`: it is not known whether the new image is the cause. */
export function othersServe(run: ServiceRun, progress: Progress): Promise<string[]> {
  release(run);
  return asOther(() => scaleBackAndVerify(run, otherScales(run.rollout), progress));
}
