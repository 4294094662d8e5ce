import { MailError, messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Mail, MailTransport } from '../ports/mail-transport';
import type { Outbox, OutboxMail } from '../ports/store';
import { retryDelayMs } from './backoff';
import { sendWithin } from './send-within';

const SEND_TIMEOUT_MS = 60_000;

export interface Postman {
  outbox: Outbox;
  transport: MailTransport;
  clock: Clock;
  logger: Logger;
  from: string;
  to: string[];
  /** In [0, 1): the jitter of the waits between two tries. */
  random: () => number;
  /** False once the store may be closed: what is not recorded then is sent again later, under the same id. */
  mayRecord: () => boolean;
}

/** Tries one mail once and writes down what came of it. Rejects only when the store fails. */
export async function deliverMail(mail: OutboxMail, postman: Postman): Promise<void> {
  const send = (): Promise<void> => postman.transport.send(addressed(mail, postman));
  const outcome = await sendWithin(SEND_TIMEOUT_MS, postman.clock, send, () => markSentLate(mail, postman));
  if (!postman.mayRecord()) return;
  if (outcome.sent) markSent(mail, postman);
  else if (outcome.error instanceof MailError && outcome.error.permanent) refuse(mail, outcome.error, postman);
  else postpone(mail, outcome.error, postman);
}

/** The id is the outbox's, so that a mail which is sent again after a crash can be recognised. */
function addressed(mail: OutboxMail, { from, to }: Postman): Mail {
  const { id, subject, html, text, createdAt } = mail;
  return { id, from, to, subject, html, text, date: createdAt };
}

function markSent(mail: OutboxMail, { outbox, logger }: Postman): void {
  outbox.sent(mail.id);
  logger.info('mail sent', fieldsOf(mail));
}

function markSentLate(mail: OutboxMail, postman: Postman): void {
  if (!postman.mayRecord()) return;
  try {
    markSent(mail, postman);
  } catch (error) {
    postman.logger.error('a mail went out late and cannot be marked as sent', {
      ...fieldsOf(mail),
      error: messageOf(error),
    });
  }
}

function refuse(mail: OutboxMail, error: MailError, { outbox, logger }: Postman): void {
  outbox.refused(mail.id, error.message);
  logger.error('mail refused, it is kept and tried again at the next start', {
    ...fieldsOf(mail),
    code: error.code,
    error: error.message,
  });
}

function postpone(mail: OutboxMail, error: unknown, { outbox, clock, logger, random }: Postman): void {
  const waitMs = retryDelayMs(mail.attempts + 1, random());
  const message = messageOf(error);
  outbox.deferred(mail.id, message, new Date(clock.now().getTime() + waitMs).toISOString());
  logger.warn('mail not sent, it is tried again', { ...fieldsOf(mail), error: message, waitMs });
}

function fieldsOf(mail: OutboxMail): Record<string, unknown> {
  return { mail: mail.id, kind: mail.kind, update: mail.updateId };
}
