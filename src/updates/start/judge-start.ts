import { changedSinceOffer, offerInstead, offerMoved } from '../../decisions/reoffer';
import { nextWindow, windowOf } from '../../decisions/when-to-start';
import type { Deps } from '../../deps';
import type { Container } from '../../domain/container';
import { newReferenceFor } from '../../domain/images/new-reference';
import { runsDigest } from '../../domain/running-digest';
import type { Update } from '../../domain/update';
import { finishUnstarted, type Unstarted } from '../finish';
import { confirmStart } from './confirm-start';

/**
 * Looks again at what the decision saw, of a container or a service. The update as it is then, if it does not start: it has its
 * end, or waits in the queue. Null: it may start.
 */
export async function judgeStart(deps: Deps, update: Update, container: Container): Promise<Update | null> {
  const closed = whileClosed(deps, update, container);
  if (closed !== null) return closed;
  const changed = notRunning(container) ?? whatChanged(update, container);
  if (changed !== null) return finishUnstarted(deps, update, changed);
  const refused = await confirmStart(deps, update, container);
  if (refused !== null) return endRefused(deps, update, refused);
  const differs = changedSinceOffer(deps, update, container);
  return differs === null ? null : offerInstead(deps, update, container, differs);
}

/** From now on it runs. */
export function beginUpdate({ store, clock }: Deps, { id, hold, reason }: Update): Update {
  const startedAt = clock.now().toISOString();
  return store.updates.change(id, { status: 'running', startedAt, reason: hold?.reason ?? reason, hold: null });
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

/** Before the backup: it may have stopped since the decision. */
function notRunning({ name, running, status }: Container): Unstarted | null {
  if (running && status !== 'paused') return null;
  const remedy = status === 'paused' ? `docker unpause ${name}` : `docker start ${name}`;
  const reason = `${name} does not run (${status}), so no update of it could be checked. Start it first: ${remedy}`;
  return { status: 'failed', code: 'container_not_running', reason };
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
