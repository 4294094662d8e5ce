import { MailError, messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Outbox, OutboxMail } from '../ports/store';
import { withinTime } from '../lib/promises';

const SEND_TIMEOUT_MS = 60_000;

/** What is delivered: a mail, or a notice to one channel. */
export type Deliverable = Pick<OutboxMail, 'id' | 'kind' | 'updateId' | 'attempts'>;

/** Where it is kept until it is delivered. */
export interface Deliveries<Item extends Deliverable> extends Pick<
  Outbox,
  'sent' | 'deferred' | 'refused' | 'retryRefused' | 'state'
> {
  due(now: string): Item[];
}

export interface Postman<Item extends Deliverable> {
  outbox: Deliveries<Item>;
  /** For the log: `mail`, or a notice with its channel. */
  noun: string;
  /** Rejects with `MailError`; the same item sent again has the same id. */
  send(item: Item): Promise<void>;
  clock: Clock;
  logger: Logger;
  /** In [0, 1): the jitter of the waits between two tries. */
  random: () => number;
}

/** One try, before it is recorded. */
export interface Tried {
  id: string;
  /** The tries so far that failed. */
  failures: number;
  /** When it is tried again, in milliseconds since 1970; null: not by this process. */
  againAt: number | null;
  /** Writes down what came of it. Throws when the store fails. */
  record(): void;
}

/** Tries one item once; never rejects. `late`: called when it is sent after it was given up. */
export async function tryItem<Item extends Deliverable>(
  mail: Item,
  postman: Postman<Item>,
  late: (sent: Tried) => void,
): Promise<Tried> {
  const send = (): Promise<void> => postman.send(mail);
  const outcome = await sendWithin(SEND_TIMEOUT_MS, postman.clock, send, () => late(sent(mail, postman)));
  if (outcome.sent) return sent(mail, postman);
  const { error } = outcome;
  return error instanceof MailError && error.permanent ? refused(mail, error, postman) : deferred(mail, error, postman);
}

function sent<Item extends Deliverable>(mail: Item, { outbox, logger, noun }: Postman<Item>): Tried {
  return {
    ...{ id: mail.id, failures: mail.attempts, againAt: null },
    record: () => {
      outbox.sent(mail.id);
      logger.info(`${noun} sent`, fieldsOf(mail));
    },
  };
}

function refused<Item extends Deliverable>(
  mail: Item,
  { code, message }: MailError,
  { outbox, logger, noun }: Postman<Item>,
): Tried {
  return {
    ...{ id: mail.id, failures: mail.attempts + 1, againAt: null },
    record: () => {
      outbox.refused(mail.id, message);
      logger.error(`${noun} refused: kept, and retried at the next start`, {
        ...fieldsOf(mail),
        ...{ code, error: message },
      });
    },
  };
}

function deferred<Item extends Deliverable>(mail: Item, error: unknown, postman: Postman<Item>): Tried {
  const { outbox, clock, logger, random, noun } = postman;
  const failures = mail.attempts + 1;
  const asked = error instanceof MailError ? error.retryAfterMs : 0;
  const waitMs = Math.max(retryDelayMs(failures, random()), asked);
  const againAt = clock.now().getTime() + waitMs;
  const message = messageOf(error);
  return {
    ...{ id: mail.id, failures, againAt },
    record: () => {
      outbox.deferred(mail.id, message, new Date(againAt).toISOString());
      logger.warn(`${noun} not sent: retried automatically`, { ...fieldsOf(mail), error: message, waitMs });
    },
  };
}

function fieldsOf(mail: Deliverable): Record<string, unknown> {
  return { mail: mail.id, kind: mail.kind, update: mail.updateId };
}

const SHORTEST_MS = 1_000;
const LONGEST_MS = 15 * 60_000;

/**
 * The delay after the `attempt`th failure in a row (1 is the first): doubling from 1 s to 15 min, at a random point in
 * its upper half, so that mails that failed together are not retried together.
 * `random`: in [0, 1).
 */
function retryDelayMs(attempt: number, random: number): number {
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(attempt, 20));
  return Math.round(longest / 2 + (longest / 2) * random);
}

type SendOutcome = { sent: true } | { sent: false; error: unknown };

/**
 * Sends, and stops waiting after `limitMs`; never rejects. A transport has its own timeout; this is the safety net, so
 * that a hanging transport cannot delay the next mails. `sentAfterAll` is called when a mail succeeds after the timeout.
 */
async function sendWithin(
  limitMs: number,
  clock: Clock,
  send: () => Promise<void>,
  sentAfterAll: () => void,
): Promise<SendOutcome> {
  const sending = attempt(send);
  const outcome = await withinTime(
    { clock, ms: limitMs },
    () => sending,
    () => null,
  );
  if (outcome !== null) return outcome;
  void sending.then((end) => {
    if (end.sent) sentAfterAll();
  });
  const words = `No answer within ${limitMs / 1000} s. It is retried automatically.`;
  return { sent: false, error: new MailError('mail_unreachable', words, false) };
}

async function attempt(send: () => Promise<void>): Promise<SendOutcome> {
  try {
    await send();
    return { sent: true };
  } catch (error) {
    return { sent: false, error };
  }
}
