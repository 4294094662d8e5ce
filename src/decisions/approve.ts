import type { Deps } from '../deps';
import { readWindow } from '../domain/decision/update-window';
import { isEngineLost, messageOf, PilotError } from '../domain/errors';
import { codeAsText } from '../domain/format';
import { replacedByApproval } from '../domain/decision/open-updates';
import { isNameMissing, whyNotYet, type NotYet } from '../domain/approval';
import { refuseWhileObserving } from '../domain/mode';
import { type DecidedBy, type Update, wayOf } from '../domain/update';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { LinkUse, Store } from '../ports/store';
import { confirmDigest, type Confirmation } from './ask-registry';
import { type DecisionOutcome, openedBy, surroundingsOf, whyClosed } from './approval-links';
import { supersede } from './offer';
import { offerAgain } from './reoffer';
import { refuseUnderWay } from './under-way';
import { nextWindow } from './when-to-start';

export interface Answer {
  decision: Decided | 'window';
  /** What was typed as the container's name. */
  name: string | null;
  /** For the audit trail. */
  seen?: LinkUse;
}

/**
 * The button of the page that a link opened. Approved is exactly what the page showed: if the tag names another digest
 * by now, or the container runs another one, nothing is applied and what is new is offered again. A registry that does
 * not answer keeps the approval waiting in the queue: the start asks again. Throws `observe_mode`, and `update_running` where the
 * tag moved.
 */
export async function decideApproval(deps: Deps, token: string, answer: Answer): Promise<DecisionOutcome> {
  const opened = openedBy(deps, token);
  if (opened === null) return { kind: 'unknown' };
  const { update, closed } = opened;
  if (closed !== null) return { kind: 'closed', why: closed, update };
  const approved = answer.decision !== 'decline';
  if (approved) refuseWhileObserving(deps.mode, 'Nothing was approved.');
  const start = answer.decision === 'window' ? startInWindow(deps, update.id) : undefined;
  if (approved) {
    const plan = deps.store.updates.plan(update.id);
    if (plan === null) return { kind: 'unknown' };
    const notYet = notYetOf(deps, update);
    if (notYet !== null)
      return { kind: 'not_yet', update, plan, surroundings: surroundingsOf(deps.store, update), notYet };
    if (isNameMissing(plan, update, answer.name)) {
      return { kind: 'name_needed', update, plan, surroundings: surroundingsOf(deps.store, update) };
    }
    const confirmed = await confirmApproval(deps, update);
    if (confirmed.kind === 'different') return moved(deps, update);
    if (confirmed.kind === 'unknown') return { kind: 'refused', update, reason: confirmed.reason };
  }
  const recorded = recordDecision(deps, update, approved ? 'approve' : 'decline', 'link', start, answer.seen ?? null);
  if (recorded !== null) return { kind: approved ? 'approved' : 'declined', update: recorded };
  return nowClosed(deps, update.id);
}

async function moved(deps: Deps, update: Update): Promise<DecisionOutcome> {
  refuseMeanwhile(deps, update);
  await offerAgain(deps, update);
  const now = deps.store.updates.get(update.id) as Update;
  const closed = whyClosed(deps, now);
  return closed === 'superseded' ? { kind: 'moved', update: now } : nowClosed(deps, update.id);
}

/** What the tag names now is decided from how the container runs. Throws `update_running`. */
function refuseMeanwhile({ store }: Pick<Deps, 'store'>, { container }: Update): void {
  const remedy = 'nothing was approved, and the offer stays open. Wait until that has finished, then approve again.';
  if (container !== null) refuseUnderWay(store, container, remedy);
}

/** Another decision was faster. */
function nowClosed(deps: Pick<Deps, 'clock' | 'store'>, id: string): DecisionOutcome {
  const update = deps.store.updates.get(id) as Update;
  return { kind: 'closed', why: whyClosed(deps, update) ?? 'superseded', update };
}

/**
 * The decision of the operator page and the command line. An approval holds for what the operator saw: a tag that moved
 * is offered again, and one that the registry does not know is refused. Throws `update_not_found`, `not_waiting`,
 * `observe_mode`, `update_running`, `registry_refused`, and what `refuseNotYet` throws.
 */
export async function decideById(deps: Deps, id: string, decided: Decided | 'window', by: DecidedBy): Promise<Update> {
  const update = deps.store.updates.get(id);
  if (decided !== 'decline' && update !== null) refuseWhileObserving(deps.mode, 'Nothing was approved.');
  if (decided !== 'decline' && update?.status === 'awaiting_approval') {
    refuseNotYet(deps, update);
    const confirmed = await confirmApproval(deps, update);
    if (confirmed.kind === 'unknown') throw new PilotError('registry_refused', confirmed.reason);
    if (confirmed.kind === 'different') {
      refuseMeanwhile(deps, update);
      await offerAgain(deps, update);
      throw new PilotError('not_waiting', `${confirmed.reason} Nothing was approved: see the newer offer.`);
    }
  }
  if (decided !== 'window') return recordById(deps, id, decided, by);
  return recordById(deps, id, 'approve', by, startInWindow(deps, id));
}

/** Why a pending update cannot be approved by any way; null: it can be. */
export function notYetOf({ store, clock }: Pick<Deps, 'store' | 'clock'>, update: Update): NotYet | null {
  return whyNotYet(store.updates.plan(update.id) ?? {}, update, store.rehearsals.of(update.id), clock.now());
}

/** Throws `rehearsal_required` and `compose_change_required`. */
function refuseNotYet(parts: Pick<Deps, 'store' | 'clock'>, update: Update): void {
  const notYet = notYetOf(parts, update);
  if (notYet !== null) throw new PilotError(notYet.code, `Nothing was approved. ${notYet.reason}`);
}

export type Decided = 'approve' | 'decline';

/** What holds an approved update up, with the reason; null: it starts as soon as it is its turn. */
interface ApprovedStart {
  notBefore: string | null;
  inWindow: boolean;
  why: string | null;
}

interface Parts {
  store: Store;
  clock: Clock;
  logger: Logger;
}

/**
 * Writes the operator's decision, if the update still waits for one: of many at once exactly one counts, the others get
 * null. In the same transaction a declined digest is remembered, so that it is not offered again, and an approval supersedes those of
 * lower versions that would run after it or at the same time. Throws what `refuseNotYet` throws.
 */
export function recordDecision(
  { store, clock, logger }: Parts,
  update: Update,
  decided: Decided,
  by: DecidedBy,
  start: ApprovedStart = { notBefore: null, inWindow: false, why: null },
  seen: LinkUse | null = null,
): Update | null {
  const how = wayOf(by);
  const now = clock.now().toISOString();
  const recorded = store.transaction(() => {
    // Asked again, since another rehearsal may have ended meanwhile.
    const waits = store.updates.get(update.id)?.status === 'awaiting_approval';
    if (decided === 'approve' && waits) refuseNotYet({ store, clock }, update);
    const status = decided === 'approve' ? 'queued' : 'declined';
    const approved = [`Approved ${how}.`, ...(start.why === null ? [] : [start.why])].join(' ');
    const reason = decided === 'approve' ? approved : `Declined ${how}. ${update.container} stays as it is.`;
    const { notBefore, inWindow } = decided === 'approve' ? start : { notBefore: null, inWindow: false };
    const changed = store.updates.decide(update.id, { status, reason, by, now, notBefore, inWindow, seen });
    if (changed?.status === 'declined' && changed.container !== null && changed.to.digest !== null) {
      const { container, to, id } = changed;
      store.refusals.add({ container, digest: to.digest as string, why: 'declined', updateId: id, at: now });
    }
    if (changed?.status === 'queued') replaceLower({ store, clock }, changed);
    return changed;
  });
  if (recorded !== null)
    logger.info('decided by the operator', {
      ...{ update: update.id, container: update.container, decided, by, notBefore: recorded.notBefore },
    });
  return recorded;
}

function replaceLower(parts: Pick<Parts, 'store' | 'clock'>, approved: Update): void {
  const lower = replacedByApproval(approved, parts.store.updates.openFor(approved.container ?? ''));
  const reason = `The update to the higher ${approved.to.reference} was approved for the same container.`;
  for (const { id } of lower) supersede(parts, id, reason);
}

/** Throws `update_not_found`. */
export function findUpdate({ updates }: Pick<Store, 'updates'>, id: string): Update {
  const update = updates.get(id);
  if (update === null)
    throw new PilotError('update_not_found', 'No update has this ID: GET /updates, or diun-pilot updates, lists them.');
  return update;
}

/** By id, once the registry has confirmed what is approved (`decideById`). Throws `update_not_found` and `not_waiting`. */
export function recordById(parts: Parts, id: string, decided: Decided, by: DecidedBy, start?: ApprovedStart): Update {
  const update = findUpdate(parts.store, id);
  const recorded = recordDecision(parts, update, decided, by, start);
  if (recorded === null) {
    // What still stands as waiting has run out of time since it was looked at last.
    const state = update.status === 'awaiting_approval' ? 'expired' : update.status;
    throw new PilotError(
      'not_waiting',
      `The update of ${update.container} is not pending: it is ${codeAsText(state).toLowerCase()}. To list the pending ones: diun-pilot updates --status awaiting_approval.`,
    );
  }
  return recorded;
}

/** As `confirmDigest`. Without an engine nothing can be asked: the approval is kept, and the start asks again. */
async function confirmApproval({ engine }: Pick<Deps, 'engine'>, { to }: Update): Promise<Confirmation> {
  try {
    return await confirmDigest((reference) => engine.registryDigest(reference), to);
  } catch (error) {
    if (!isEngineLost(error)) throw error;
    return { kind: 'silent', reason: messageOf(error) };
  }
}

/** When an update that is approved for the next window starts, by the window of its plan. Throws `no_window`. */
function startInWindow(deps: Pick<Deps, 'store' | 'clock' | 'timeZone'>, id: string): ApprovedStart {
  const text = deps.store.updates.plan(id)?.window ?? null;
  const window = text === null ? null : readWindow(text);
  if (window === null || 'problem' in window) {
    throw new PilotError(
      'no_window',
      'The container has no update window, so nothing was decided. Approve the update now, or set update.window.',
    );
  }
  return nextWindow(deps, window);
}
