import type { Deps } from '../deps';
import type { Container } from '../domain/container';
import type { Plan } from '../domain/plan/plan';
import type { Rehearsal, Verdict } from '../domain/rehearsal/rehearsal';
import type { Approval, ImageAt, Update } from '../domain/update';
import { criticalUpdateAvailable, offerSuperseded, updateAvailable } from '../notifications/mails/offer';
import { postWithinLimit } from '../notifications/post-mail';
import { approvalUrl, pageUrl, surroundingsOf } from './approval-links';

/**
 * The mail of a decision (docs/approvals.md), with the signed link where it waits: to be called in the transaction that
 * stores it. `replaces`: the image of an earlier, announced offer that it supersedes. `rehearsal`: null, if it was not rehearsed.
 */
export function mailOfOffer(
  deps: Deps,
  update: Update,
  plan: Plan,
  replaces: ImageAt | null,
  rehearsal: Rehearsal | null = null,
): void {
  const decides = update.status === 'awaiting_approval';
  postWithinLimit(deps, update, decides ? 'critical_update_available' : 'update_available', (summarised) => {
    const news = {
      update,
      plan,
      page: pageUrl(deps, update),
      summarised,
      rehearsal,
      observes: deps.mode === 'observe',
    };
    return decides
      ? criticalUpdateAvailable({
          ...news,
          approvalUrl: approvalUrl(deps, update),
          surroundings: surroundingsOf(deps.store, update),
          replaces,
        })
      : updateAvailable(news);
  });
}

/** The approval of an offer that waits from now on. */
export function waitingApproval({ clock, approvalTtlMs }: Pick<Deps, 'approvalTtlMs' | 'clock'>): Approval {
  return {
    status: 'waiting',
    expiresAt: new Date(clock.now().getTime() + approvalTtlMs).toISOString(),
    decidedAt: null,
  };
}

/** The notice that a link is no longer valid; only for an update that was offered, and whose mail was posted. */
export function mailOfSuperseded(deps: Pick<Deps, 'clock' | 'mailDigest' | 'store'>, update: Update): void {
  if (update.approval === null || deps.store.rehearsals.of(update.id)?.mail) return;
  postWithinLimit(deps, update, 'offer_superseded', (summarised) => offerSuperseded({ update, page: '', summarised }));
}

/** The mail is posted within this time, whatever becomes of the rehearsal. */
const MAIL_WITHIN_MS = 30 * 60_000;
/** An automatic update with `update.rehearse=always` has no one to decide about it, so it waits longer. */
const START_WITHIN_MS = 24 * 3_600_000;

/**
 * Whether an offer is rehearsed before it is announced: `update.rehearse`, and for `auto` whether the container holds data. A new
 * PostgreSQL major always is, since it cannot be approved without.
 */
export function isRehearsed(
  { labels }: Container,
  { holdsData, newMajor }: Pick<Plan, 'holdsData' | 'newMajor'>,
  status: Update['status'],
): boolean {
  if (newMajor !== undefined) return true;
  if (labels.rehearse === 'auto') return holdsData && status === 'awaiting_approval';
  return labels.rehearse === 'always';
}

/**
 * Requests the rehearsal of an offer, whose mail then waits for the verdict; an automatic update does not start before it.
 * In the transaction of the decision. Returns the update as it is then.
 */
export function rehearseFirst(deps: Pick<Deps, 'clock' | 'store'>, update: Update, replaces: ImageAt | null): Update {
  const { store, clock } = deps;
  const now = clock.now();
  const automatic = update.status === 'queued';
  const dueAt = new Date(now.getTime() + (automatic ? START_WITHIN_MS : MAIL_WITHIN_MS)).toISOString();
  store.rehearsals.insert({ updateId: update.id, digest: update.to.digest, mail: { dueAt, replaces } });
  if (!automatic) return update;
  return store.updates.change(update.id, {
    hold: { since: now.toISOString(), until: dueAt, reason: update.reason },
    reason: `${update.reason} The update is rehearsed first (update.rehearse=always).`,
  });
}

/** Announces each offer whose rehearsal takes too long, without its verdict. Called in short intervals. */
export function releaseHeldMails(deps: Deps): void {
  const { store, clock } = deps;
  const now = clock.now().toISOString();
  for (const rehearsal of store.rehearsals.withMail()) {
    if (rehearsal.mail.dueAt > now) continue;
    store.transaction(() => {
      const update = store.updates.get(rehearsal.updateId);
      const plan = update && store.updates.plan(update.id);
      store.rehearsals.mailDone(rehearsal.id);
      if (!update || !plan || !isUndecided(update)) return;
      deps.logger.warn('the mail does not wait for the rehearsal any longer', { update: update.id });
      mailOfOffer(deps, update, plan, rehearsal.mail.replaces, store.rehearsals.get(rehearsal.id));
    });
  }
}

/** It is pending, or automatic and in the queue: no person has decided, and nothing has run. */
function isUndecided({ status, approval }: Update): boolean {
  return status === 'awaiting_approval' || (status === 'queued' && approval === null);
}

/** No mail has announced it yet, and none is to report its end. */
export function isUnannounced({ store }: Pick<Deps, 'store'>, { id }: Pick<Update, 'id'>): boolean {
  return (store.rehearsals.of(id)?.mail ?? null) !== null;
}

/**
 * Records the verdict of a rehearsal and, in the same transaction, posts the mail that waited for it. An automatic update
 * starts now, or waits for approval where its rehearsal failed.
 */
export function announceVerdict(deps: Deps, rehearsalId: string, verdict: Verdict): void {
  const { store } = deps;
  store.transaction(() => {
    const rehearsal = store.rehearsals.end(rehearsalId, verdict);
    if (rehearsal.mail === null) return;
    store.rehearsals.mailDone(rehearsal.id);
    const update = store.updates.get(rehearsal.updateId);
    const plan = update && store.updates.plan(update.id);
    if (!update || !plan || !isUndecided(update)) return;
    const now = update.status === 'queued' ? afterVerdict(deps, update, verdict) : update;
    mailOfOffer(deps, now, plan, rehearsal.mail.replaces, rehearsal);
  });
}

function afterVerdict(
  deps: Pick<Deps, 'approvalTtlMs' | 'clock' | 'store'>,
  update: Update,
  { status }: Verdict,
): Update {
  const { updates } = deps.store;
  const reason = update.hold?.reason ?? update.reason;
  if (status !== 'failed') return updates.change(update.id, { hold: null, reason });
  return updates.change(update.id, {
    status: 'awaiting_approval',
    hold: null,
    notBefore: null,
    inWindow: false,
    reason: `The rehearsal failed, so the update needs approval (update.rehearse=always). ${reason}`,
    approval: waitingApproval(deps),
  });
}
