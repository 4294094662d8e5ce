import { confirmDigest } from '../../decisions/ask-registry';
import { changedSinceOffer, offerInstead, offerMoved } from '../../decisions/reoffer';
import { askAgainUnsigned, checkSignature, wrongSignatureReason } from '../../decisions/signatures';
import { whenQueuedMayStart } from '../../decisions/when-to-start';
import type { Deps } from '../../deps';
import { type Container, runsDigest } from '../../domain/container';
import { passGuards, whyNotRunning } from '../../domain/decision/guards';
import { askAgainAt } from '../../domain/decision/rests';
import { newReferenceFor, targetOf } from '../../domain/images/image-reference';
import type { Update } from '../../domain/update';
import { finishUnstarted, type Unstarted } from '../finish';

/**
 * Looks again at what the decision saw, of a container or a service. The update as it is then, if it does not start: it has its
 * end, or waits in the queue. What was approved for another version than runs by now is offered again. Null: it may start.
 */
export async function judgeStart(deps: Deps, update: Update, container: Container): Promise<Update | null> {
  const never = guarded(container);
  if (never !== null) return finishUnstarted(deps, update, never);
  const early = whileEarly(deps, update, container);
  if (early !== null) return early;
  const changed = notRunning(container) ?? changedSinceDecision(update, container);
  const isOfferedAgain = changed?.status === 'superseded' && update.approval !== null;
  if (changed !== null && !isOfferedAgain) return finishUnstarted(deps, update, changed);
  const refused = await confirmStart(deps, update, container);
  if (refused !== null) return endRefused(deps, update, refused);
  const differs = changed?.reason ?? changedSinceOffer(deps, update, container);
  return differs === null ? null : offerInstead(deps, update, container, differs);
}

/** From now on it runs: to be called in the transaction that stores its journal or rollout. */
export function beginUpdate({ store, clock }: Deps, { id, hold, reason }: Update): Update {
  const startedAt = clock.now().toISOString();
  return store.updates.change(id, { status: 'running', startedAt, reason: hold?.reason ?? reason, hold: null });
}

/**
 * An earlier release noted an update as running before its journal, and may have died in between. Nothing was done then, so it waits
 * in the queue, where window, hold and decisions count again.
 */
export function requeueUnstarted({ store, logger }: Pick<Deps, 'store' | 'logger'>): void {
  for (const { id, container } of store.updates.withStatus('running')) {
    if (store.updates.journal(id) !== null || store.updates.rollout(id) !== null) continue;
    store.updates.change(id, { status: 'queued', startedAt: null });
    logger.warn('an update that had not started is queued again', { update: id, container });
  }
}

/**
 * Its turn came after the window had closed, or window and age were set since the decision: it waits in the queue. What has
 * started is finished.
 */
function whileEarly(deps: Deps, update: Update, container: Container): Update | null {
  const { notBefore, why } = whenQueuedMayStart(deps, update, container);
  if (notBefore === null) return null;
  deps.logger.info('an update waits for its window or age', {
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

/** It may have been re-created as one that is never updated, such as an unwatched one. */
function guarded(container: Container): Unstarted | null {
  const { guard } = passGuards(container);
  return guard === null ? null : { status: 'superseded', reason: guard.reason };
}

/** Before the backup: it may have stopped since the decision. */
function notRunning(container: Container): Unstarted | null {
  const reason = whyNotRunning(container);
  return reason === null ? null : { status: 'failed', code: 'container_not_running', reason };
}

/** The decision was made for the version that ran then: if another one runs by now, it is no longer valid. */
function changedSinceDecision({ container: name, from, to }: Update, container: Container): Unstarted | null {
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

/**
 * The last questions before an update starts, since the decision may be days old: does the registry still name the digest for
 * the tag, and is the digest signed as required? `held`: the registry does not answer, and the update stays in the queue, or
 * it waits for approval, since a signature is missing. `movedTo`: the digest that the tag has instead. Null: it may start.
 */
async function confirmStart(
  deps: Deps,
  update: Update,
  container: Container,
): Promise<Unstarted | { held: Update } | { movedTo: string; reason: string } | null> {
  const confirmed = await confirmDigest((reference) => deps.engine.registryDigest(reference), update.to);
  switch (confirmed.kind) {
    case 'same':
      return confirmSignature(deps, update, container);
    case 'different':
      return { movedTo: confirmed.named, reason: `${update.container} was not changed. ${confirmed.reason}` };
    case 'unknown':
      return { status: 'failed', code: 'registry_refused', reason: confirmed.reason };
    case 'silent':
      return { held: hold(deps, update, confirmed.reason) };
  }
}

/** Nothing is pulled before it. That it was missing when the operator approved is the operator's word; a wrong one is refused always. */
async function confirmSignature(
  deps: Deps,
  update: Update,
  container: Container,
): Promise<Unstarted | { held: Update } | null> {
  const target = targetOf(update.to);
  if (target === null) return null;
  const registry = { signatures: (at: string) => deps.registrySignatures.of(at) };
  const checked = await checkSignature(deps, container, target, registry);
  if (checked === null) return null;
  const { status, by, why, code } = checked;
  if (status === 'unknown' && code === 'registry_unreachable') return { held: hold(deps, update, why ?? '') };
  if (status === 'unknown') return { status: 'failed', code: code ?? 'signature_not_checked', reason: why ?? '' };
  const wasKnown = update.signature?.status === 'missing' && update.approval?.status === 'approved';
  if (status === 'missing' && !wasKnown) return { held: askAgainUnsigned(deps, update, checked) };
  deps.store.updates.change(update.id, { signature: { status, by } });
  if (status !== 'invalid') return null;
  return {
    status: 'failed',
    code: 'signature_invalid',
    reason: wrongSignatureReason(container.name, update.to.reference, checked),
  };
}

function hold({ store, clock, logger }: Deps, update: Update, why: string): Update {
  const now = clock.now();
  const since = update.hold?.since ?? now.toISOString();
  const reason = update.hold?.reason ?? update.reason;
  const until = askAgainAt(new Date(since), now);
  logger.warn('an update waits for the registry', { update: update.id, container: update.container, until, why });
  return store.updates.change(update.id, {
    hold: { since, until, reason },
    reason: `${reason} It waits for the registry, which is asked again: ${why}`,
  });
}
