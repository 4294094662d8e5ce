import type { Outbox, Store } from '../ports/store';
import type { RenderedMail, MailKind } from './rendered-mail';
import { isOpen, type Update } from '../domain/update';
import type { Clock } from '../lib/clock';

/**
 * Puts a mail into the outbox and returns its id. Call it inside the transaction that writes the state which the mail
 * reports: both are stored, or neither.
 */
export function postMail(outbox: Pick<Outbox, 'add'>, mail: RenderedMail): string {
  return outbox.add(mail);
}

/** The same for a notice that only channels and the digest report. */
export function postWithoutMail(outbox: Pick<Outbox, 'add'>, mail: RenderedMail): string {
  return outbox.add({ ...mail, mailed: false });
}

const MOST_AN_HOUR = 6;
const HOUR_MS = 3_600_000;
/** Mails that an announcement alone causes. A verdict is always mailed at once: an update has run for it. */
const FOR_DIGEST: readonly MailKind[] = ['update_available'];
const ALWAYS_MAILED: readonly MailKind[] = ['critical_update_available', 'offer_superseded'];

/**
 * Posts the mail of an announcement. After six mails about a container within an hour, the next is held until the hour
 * is over. A newer one replaces it, unless its update is still open: a flood of announcements does not become a flood of
 * mails, and the latest announcement of every open update is always mailed. With a digest, announcements that need no decision
 * are limited on their own: they were never mailed, so they delay no decision.
 */
export function postWithinLimit(
  { store, clock, mailDigest }: { store: Pick<Store, 'outbox' | 'updates'>; clock: Clock; mailDigest: boolean },
  update: Update,
  kind: MailKind,
  render: (summarised: number) => RenderedMail,
): void {
  const now = clock.now();
  const since = new Date(now.getTime() - HOUR_MS).toISOString();
  const recent = store.outbox.about(update.container ?? '', countedWith(kind, mailDigest), since);
  const held = recent.filter(
    ({ status, attempts, nextAttemptAt }) =>
      status === 'pending' && attempts === 0 && nextAttemptAt !== null && nextAttemptAt > now.toISOString(),
  );
  const posted = recent.filter((mail) => !held.includes(mail));
  for (const { id, updateId } of held) if (isOutdated(store, updateId, update)) store.outbox.withdraw(id);
  const full = posted.length >= MOST_AN_HOUR;
  const mail = render(full || held.length > 0 ? summarisedBy(store, update, posted[0]?.updateId ?? '') : 0);
  if (!full) return void postMail(store.outbox, mail);
  const oldest = Date.parse(posted.at(-1)?.createdAt ?? now.toISOString());
  store.outbox.hold(mail, held[0]?.nextAttemptAt ?? new Date(oldest + HOUR_MS).toISOString());
}

function countedWith(kind: MailKind, mailDigest: boolean): readonly MailKind[] {
  if (!mailDigest) return [...FOR_DIGEST, ...ALWAYS_MAILED];
  return FOR_DIGEST.includes(kind) ? FOR_DIGEST : ALWAYS_MAILED;
}

/** The mail is about an update that has ended, or about the one that is announced now. */
function isOutdated({ updates }: Pick<Store, 'updates'>, updateId: string | null, { id }: Update): boolean {
  const about = updateId === null ? null : updates.get(updateId);
  return about === null || about.id === id || !isOpen(about.status);
}

/** Other updates of the container that have ended, and that no mail has announced. */
function summarisedBy({ updates }: Pick<Store, 'updates'>, { container, id }: Update, announced: string): number {
  const all = updates.list({ container: container ?? '', limit: 100 }).updates;
  return all.filter((each) => each.id > announced && each.id !== id && isCovered(each)).length;
}

/** An open update has a mail of its own. */
function isCovered({ status }: Update): boolean {
  return status !== 'ignored' && !isOpen(status);
}
