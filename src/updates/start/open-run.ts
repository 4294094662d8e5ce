import { healthFailureOf } from '../../containers/check-health';
import { containerOf, inspectByName } from '../../containers/read-containers';
import { ownPolicy } from '../../containers/restart-policy';
import { changedSinceOffer, offerInstead, offerMoved } from '../../decisions/reoffer';
import { nextWindow, windowOf } from '../../decisions/when-to-start';
import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import type { ContainerInspect } from '../../domain/engine-inspect';
import { firstJournal } from '../../domain/journal';
import { newReferenceFor } from '../../domain/images/new-reference';
import { runsDigest } from '../../domain/running-digest';
import type { Update } from '../../domain/update';
import { confirmStart } from './confirm-start';
import { finishUnstarted, type Unstarted } from '../finish';
import { resumeRun } from './resume-run';
import type { Run } from '../run';

/**
 * Takes up an update: for the first time, by looking again at what the decision saw; or after a crash, by the journal.
 * `ended`: nothing runs now: the update has its end, or waits for the registry or for approval.
 */
export async function openRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const journal = deps.store.updates.journal(update.id);
  return journal === null ? startRun(deps, update) : resumeRun({ ...deps, update, journal });
}

async function startRun(deps: Deps, update: Update): Promise<Run | { ended: Update }> {
  const old = withOwnPolicy(deps, await inspectByName(deps.engine, update.container ?? ''));
  if (old === null) return { ended: finishUnstarted(deps, update, noContainer(update)) };
  const container = await containerOf(deps, old);
  const closed = whileClosed(deps, update, container);
  if (closed !== null) return { ended: closed };
  const changed = notRunning(container) ?? whatChanged(update, container);
  if (changed !== null) return { ended: finishUnstarted(deps, update, changed) };
  const refused = await confirmStart(deps, update, container);
  if (refused !== null) return { ended: await endRefused(deps, update, refused) };
  const differs = changedSinceOffer(deps, update, container);
  if (differs !== null) return { ended: await offerInstead(deps, update, container, differs) };
  const unhealthy = await healthFailureOf(deps, container);
  const startedAt = deps.clock.now().toISOString();
  const started = deps.store.updates.change(update.id, {
    status: 'running',
    startedAt,
    reason: update.hold?.reason ?? update.reason,
    hold: null,
  });
  const journal = firstJournal(update, old, unhealthy);
  deps.store.updates.saveJournal(update.id, journal);
  return { ...deps, update: started, old, container, journal };
}

/** Its turn came after the window had closed: it waits in the queue for the next one. What has started is finished. */
function whileClosed(deps: Deps, update: Update, container: Container): Update | null {
  const window = update.inWindow ? windowOf(deps, container) : null;
  if (window === null) return null;
  const { notBefore, why } = nextWindow(deps, window);
  if (notBefore === null) return null;
  deps.logger.info('an update waits for its window', {
    update: update.id,
    container: update.container,
    notBefore,
    why,
  });
  return deps.store.updates.change(update.id, { notBefore });
}

async function endRefused(
  deps: Deps,
  update: Update,
  refused: NonNullable<Awaited<ReturnType<typeof confirmStart>>>,
): Promise<Update> {
  if ('held' in refused) return refused.held;
  if ('movedTo' in refused) return offerMoved(deps, update, refused.movedTo, refused.reason);
  return finishUnstarted(deps, update, refused);
}

/** An earlier run that was aborted may have left it disarmed: its replacement has the policy of the operator. */
function withOwnPolicy(deps: Deps, old: ContainerInspect | null): ContainerInspect | null {
  if (old === null) return null;
  return { ...old, HostConfig: { ...old.HostConfig, RestartPolicy: ownPolicy(deps, old) } };
}

/** Before the backup: it may have stopped since the decision. */
function notRunning({ name, running, status }: Container): Unstarted | null {
  if (running && status !== 'paused') return null;
  const remedy = status === 'paused' ? `docker unpause ${name}` : `docker start ${name}`;
  const reason = `${name} does not run (${status}), so no update of it could be checked. Start it first: ${remedy}`;
  return { status: 'failed', code: 'container_not_running', reason };
}

function noContainer({ container }: Update): Unstarted {
  return { status: 'failed', code: 'container_not_found', reason: `The container ${container} no longer exists.` };
}

/** The decision was made for the version that ran then: if another one runs by now, it is no longer valid. */
function whatChanged({ container: name, from, to }: Update, container: Container): Unstarted | null {
  const { reference } = container;
  const runs = (digest: string): boolean => runsDigest(container, digest);
  if (to.digest !== null && runs(to.digest) && reference === newReferenceFor(reference, to.reference)) {
    return { status: 'ignored', reason: `${name} already runs ${to.digest}: nothing to do.` };
  }
  const before = from?.digest ?? null;
  if (before === null || runs(before)) return null;
  const reason = `${name} was changed in the meantime: it no longer runs ${before}, from which this update was decided.`;
  return { status: 'superseded', reason };
}
