import { messageOf } from '../domain/errors';
import { type Clock, isDue } from '../lib/clock';
import type { Logger } from '../lib/logger';
import type { Channel, MailTransport } from '../ports/mail-transport';
import type { NoticeToSend } from '../ports/outbox';
import type { OutboxMail, Store } from '../ports/store';
import { type Deliverable, type Postman, type Tried, tryItem } from './deliver-item';
import { withinTime } from '../lib/promises';

const LOOK_AGAIN_MS = 1_000;
const STOP_WITHIN_MS = 5_000;
/** No wait between two tries is longer. */
const LONGEST_WAIT_MS = 3_600_000;

/** Delivers the outbox in the background. A slow or dead mail server delays its own mails and nothing else. */
export interface Delivery {
  /** Requeues refused mails (settings may have changed) and starts. */
  start(): void;
  /** Resolves when the mail in progress is sent, after 5 s at most; nothing is written to the store afterwards. */
  stop(): Promise<void>;
  /**
   * One attempt for every mail that is due, oldest first, one at a time. Rejects only when the store fails. What was tried and
   * could not be recorded then is recorded by the next round, and not sent again.
   */
  deliverDue(): Promise<void>;
  /** There is a new mail: check the outbox now. */
  wake(): void;
}

interface Surroundings {
  clock: Clock;
  logger: Logger;
  /** In [0, 1); for tests. */
  random?: () => number;
}

interface MailDeliveryParts extends Surroundings {
  store: Pick<Store, 'outbox'>;
  transport: MailTransport;
  from: string;
  to: string[];
  /** A mail that needs no decision and reports no failure waits for the digest. Default: it does not. */
  digest?: boolean;
}

export function createDelivery({ store, transport, from, to, digest = false, ...parts }: MailDeliveryParts): Delivery {
  const { outbox } = store;
  return new OutboxDelivery<OutboxMail>({
    ...parts,
    noun: 'mail',
    outbox: { ...outbox, due: (now) => outbox.due(now, { digest }) },
    // The id is the outbox's, so that a mail which is sent again after a crash can be recognised.
    send: ({ id, subject, html, text, createdAt }) =>
      transport.send({ id, from, to, subject, html, text, date: createdAt }),
  });
}

/** Each channel has a delivery of its own: one that is down delays neither mail nor the others. */
export function createNoticeDelivery({
  store,
  channel,
  ...parts
}: Surroundings & { store: Pick<Store, 'channels'>; channel: Channel }): Delivery {
  return new OutboxDelivery<NoticeToSend>({
    ...parts,
    noun: `notice to ${channel.name}`,
    outbox: store.channels.of(channel.id),
    send: ({ id, createdAt, notice }) => channel.send({ ...notice, id, at: createdAt }),
  });
}

/** Several as one. */
export function deliverAll(all: readonly Delivery[]): Delivery {
  const each = async (act: (one: Delivery) => Promise<void>): Promise<void> => void (await Promise.all(all.map(act)));
  return {
    start: () => all.forEach((one) => one.start()),
    stop: () => each((one) => one.stop()),
    deliverDue: () => each((one) => one.deliverDue()),
    wake: () => all.forEach((one) => one.wake()),
  };
}

class OutboxDelivery<Item extends Deliverable> implements Delivery {
  #phase: 'open' | 'stopping' | 'closed' = 'open';
  #alarm = new AbortController();
  #round: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  readonly #postman: Postman<Item>;
  /** By id: what was tried while the store could not be written. */
  readonly #unrecorded = new Map<string, Tried>();

  constructor({ random = Math.random, ...parts }: Omit<Postman<Item>, 'random'> & { random?: () => number }) {
    this.#postman = { ...parts, random };
  }

  start(): void {
    this.#postman.outbox.retryRefused();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#alarm.abort();
    await withinTime(
      { clock: this.#postman.clock, ms: STOP_WITHIN_MS },
      () => Promise.all([settled(this.#loop), settled(this.#round)]),
      () => undefined,
    );
    this.#phase = 'closed';
  }

  /** Rounds never overlap: each starts when the previous one has ended, with or without an error. */
  deliverDue(): Promise<void> {
    this.#round = settled(this.#round).then(() => this.#deliverRound());
    return this.#round;
  }

  wake(): void {
    this.#alarm.abort();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#postman;
    while (this.#isOpen()) {
      this.#alarm = new AbortController();
      await this.deliverDue().catch((error: unknown) => {
        logger.error('the outbox cannot be read or written', { error: messageOf(error) });
      });
      if (this.#isOpen()) await settled(clock.sleep(LOOK_AGAIN_MS, this.#alarm.signal));
    }
  }

  async #deliverRound(): Promise<void> {
    const { outbox, clock } = this.#postman;
    const failed = [...this.#unrecorded.values()].flatMap((tried) => this.#record(tried));
    for (const mail of outbox.due(clock.now().toISOString())) {
      if (!this.#isOpen()) return;
      const before = this.#unrecorded.get(mail.id);
      if (before !== undefined && !this.#mayTryAgain(before)) continue;
      const item = { ...mail, attempts: before?.failures ?? mail.attempts };
      const tried = await tryItem(item, this.#postman, (sent) => this.#recordLate(sent));
      failed.push(...this.#record(tried));
    }
    if (failed.length > 0) throw failed[0];
  }

  #mayTryAgain({ againAt }: Tried): boolean {
    return againAt !== null && isDue(againAt, this.#postman.clock.now().getTime(), LONGEST_WAIT_MS);
  }

  /** Resolves with the errors of the store. Once that may be closed nothing is recorded: it is sent again later, under the same id. */
  #record(tried: Tried): unknown[] {
    if (this.#phase === 'closed') return [];
    this.#unrecorded.set(tried.id, tried);
    try {
      tried.record();
    } catch (error) {
      return [error];
    }
    this.#unrecorded.delete(tried.id);
    return [];
  }

  #recordLate(sent: Tried): void {
    for (const error of this.#record(sent))
      this.#postman.logger.error(`${this.#postman.noun} was sent late and cannot be marked as sent`, {
        mail: sent.id,
        error: messageOf(error),
      });
  }

  #isOpen(): boolean {
    return this.#phase === 'open';
  }
}

/** The caller that needs the error already has it. */
function settled(work: Promise<void>): Promise<void> {
  return work.catch(() => undefined);
}
