import type { Outbox } from '../ports/store';
import type { RenderedMail } from './rendered-mail';

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
