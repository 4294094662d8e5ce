import { isEngineLost, PilotError } from '../domain/errors';
import { replicasOf, type ServiceInspect, type ServiceSpec } from '../domain/services/swarm-inspect';
import { ownScale } from '../domain/services/rollout';
import { isOver, failureOf, isAlive, viewTasks, whyStuck } from '../domain/services/tasks';
import {
  checkpointRollout,
  probeTimeoutOf,
  retryConflict,
  scaledToZero,
  see,
  serviceChanged,
  type ServiceRun,
  type Seen,
} from './rollout-run';
import { noteScaledBack, withReplicas } from './scale-to-zero';
import { formatDuration } from '../domain/format';
import { rolloutWithinMs } from '../domain/services/plan-rollout';
import type { Progress } from '../lib/logger';
import { logOf } from '../services/look-at-target';

/**
 * Asks Swarm for the new image once, whatever was asked before a crash. Everything else of the spec stays as it is. Rejects with
 * `changed_meanwhile`, at the stage `preparing`, if another client updates the service at the same moment.
 */
export async function requestRollout(run: ServiceRun): Promise<void> {
  const { service, image, tasks } = await see(run);
  const { stage, oldImage, newImage, statusBefore = null } = run.rollout;
  if (stage === 'rolling_out') {
    if (image === newImage) return noteScaledBack(run, service.ID); // it was accepted before the crash
    if (updateStatusText(service) !== statusBefore) {
      if (service.UpdateStatus?.State?.startsWith('rollback') !== true) throw serviceChanged(run.rollout.name);
      return; // Swarm has rolled it back since
    }
  } else if (image !== oldImage) throw serviceChanged(run.rollout.name);
  const overBefore = [...(run.rollout.overBefore ?? []), ...tasks.filter(isOver).map(({ ID }) => ID)];
  checkpointRollout(run, 'rolling_out', { statusBefore: updateStatusText(service), overBefore });
  try {
    await updateUnchanged(run, service, (now) => run.swarm.rollOut(now, scaledUp(run, withImage(now.Spec, newImage))));
    noteScaledBack(run, service.ID);
  } catch (error) {
    if (!isEngineLost(error)) checkpointRollout(run, 'preparing');
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
  await retryConflict(
    () => act(now),
    async () => {
      now = (await see(run)).service;
      if (JSON.stringify(now.Spec) !== JSON.stringify(seen.Spec))
        throw serviceChanged(run.rollout.name, ' at the same moment');
    },
  );
}

/** In the same request, where the service was scaled to 0 for its backup: the old image must not run on data that is backed up. */
export function scaledUp({ rollout }: Pick<ServiceRun, 'rollout'>, spec: ServiceSpec): ServiceSpec {
  const own = ownScale(rollout);
  return own === null || own.back === true || replicasOf(spec) > 0 ? spec : withReplicas(spec, own.replicas);
}

export function withImage(spec: ServiceSpec, Image: string): ServiceSpec {
  const { TaskTemplate } = spec;
  return { ...spec, TaskTemplate: { ...TaskTemplate, ContainerSpec: { ...TaskTemplate.ContainerSpec, Image } } };
}

function updateStatusText({ UpdateStatus }: ServiceInspect): string {
  return JSON.stringify(UpdateStatus ?? null);
}

const POLL_MS = 1_000;
/** Few, since the service waits for its rollback meanwhile. */
const LOOKS_AGAIN = 3;

/**
 * Follows the rollout until Swarm says that it is complete. Rejects with what the tasks say once Swarm pauses it or rolls it back,
 * or when its time is up; with `changed_meanwhile` if another client changes the service.
 */
export function followRollout(run: ServiceRun, progress: Progress): Promise<string> {
  return follow(run, run.rollout.newImage, progress);
}

/** The same for the way back. */
export function followRollback(run: ServiceRun, progress: Progress): Promise<string> {
  return follow(run, run.rollout.oldImage, progress);
}

async function follow(run: ServiceRun, wanted: string, progress: Progress): Promise<string> {
  const { clock } = run;
  const startedAt = clock.now().getTime();
  for (;;) {
    const seen = await see(run);
    const { service, image, tasks, nodes } = seen;
    if (image === wanted && replicasOf(service.Spec) === 0) throw scaledToZero(run.rollout.name);
    const view = viewTasks(service, tasks, wanted, nodes);
    const state = service.UpdateStatus?.State;
    const message = service.UpdateStatus?.Message ?? '';
    // Without a state there was nothing to replace, or the engine has not started.
    if (image === wanted && (isDone(state) || (state === undefined && view.allRun))) return view.detail;
    if (image !== wanted && wanted === run.rollout.newImage)
      throw await rolloutFailure(run, seen, wanted, `Swarm rolled it back (${message})`);
    if (state === 'paused' || state === 'rollback_paused')
      throw await rolloutFailure(run, seen, wanted, `Swarm paused the rollout (${message})`);
    if (state === undefined && image === wanted) await mustNotFail(run, seen, wanted);
    progress(view.detail);
    const withinMs = timeFor(run, seen, wanted);
    if (clock.now().getTime() >= startedAt + withinMs) {
      const { code, detail } = failureOf(service, tasks, wanted, nodes) ?? whyStuck(service, tasks, nodes);
      throw new PilotError(
        code,
        `The rollout did not end within ${formatDuration(withinMs)}. ${onceEach(detail, view.detail)}.`,
      );
    }
    await clock.sleep(POLL_MS);
  }
}

/** A service that is scaled up with its new image has no rollout that Swarm would pause: its first task that fails ends it. */
async function mustNotFail(run: ServiceRun, { service, tasks, nodes }: Seen, wanted: string): Promise<void> {
  const since = tasks.filter(({ CreatedAt }) => CreatedAt >= service.UpdatedAt);
  const failure = failureOf(service, since, wanted, nodes);
  if (failure === null || isAlive(failure.task)) return;
  throw new PilotError(failure.code, `${failure.detail}.${await logOf(run, failure.task)}`);
}

function isDone(state: string | undefined): boolean {
  return state === 'completed' || state === 'rollback_completed';
}

function timeFor(run: ServiceRun, { service, tasks }: Seen, wanted: string): number {
  const { UpdateConfig, RollbackConfig, Mode } = service.Spec;
  const count = Mode.Replicated?.Replicas ?? tasks.filter(({ DesiredState }) => DesiredState === 'running').length;
  return rolloutWithinMs(service, wanted === run.rollout.newImage ? UpdateConfig : RollbackConfig, {
    tasks: count,
    startMs: probeTimeoutOf(run),
  });
}

/** Swarm pauses a rollout a moment before it says of the task that it failed: so the tasks are looked at again. */
async function rolloutFailure(run: ServiceRun, first: Seen, wanted: string, what: string): Promise<PilotError> {
  let seen = first;
  let failure = failureOf(seen.service, seen.tasks, wanted, seen.nodes);
  for (let look = 1; failure === null && look <= LOOKS_AGAIN; look++) {
    await run.clock.sleep(POLL_MS);
    seen = await see(run);
    failure = failureOf(seen.service, seen.tasks, wanted, seen.nodes);
  }
  if (failure === null) {
    // Swarm also counts a task as failed that it ended itself, as on a node that is drained: then none waits.
    const { code, detail } = whyStuck(seen.service, seen.tasks, seen.nodes);
    return new PilotError(code, `${what}. ${onceEach(detail, viewOf(seen, wanted))}.`);
  }
  return new PilotError(failure.code, `${failure.detail}. ${what}.${await logOf(run, failure.task)}`);
}

function viewOf({ service, tasks, nodes }: Seen, image: string): string {
  return viewTasks(service, tasks, image, nodes).detail;
}

/** The view lists the tasks that do not run, so that one of them may be in it. */
function onceEach(detail: string, view: string): string {
  return view.includes(detail) ? view : `${detail}; ${view}`;
}
