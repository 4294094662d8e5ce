import { messageOf } from '../domain/errors';
import type { Outbox, Store } from '../ports/store';
import { deliverMail, type Postman } from './deliver-mail';

const LOOK_AGAIN_MS = 1_000;
const STOP_WITHIN_MS = 5_000;

/** Delivers the outbox in the background. A slow or dead mail server delays its own mails and nothing else. */
export interface Delivery {
  /** Puts refused mails back (settings may have changed), and begins. */
  start(): void;
  /** Resolves when the mail being sent is through, after 5 s at most; nothing is written to the store afterwards. */
  stop(): Promise<void>;
  /** One try for every mail that is due, oldest first, one at a time. Rejects only when the store fails. */
  deliverDue(): Promise<void>;
  /** There is a new mail: look now. */
  wake(): void;
  /** For /health. */
  state(): ReturnType<Outbox['state']>;
}

export interface DeliveryParts extends Omit<Postman, 'outbox' | 'random' | 'mayRecord'> {
  store: Pick<Store, 'outbox'>;
  /** In [0, 1); for tests. */
  random?: () => number;
}

export function createDelivery(parts: DeliveryParts): Delivery {
  return new OutboxDelivery(parts);
}

class OutboxDelivery implements Delivery {
  #phase: 'open' | 'stopping' | 'closed' = 'open';
  #alarm = new AbortController();
  #round: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  readonly #postman: Postman;

  constructor({ store: { outbox }, random = Math.random, ...parts }: DeliveryParts) {
    this.#postman = { ...parts, outbox, random, mayRecord: () => this.#phase !== 'closed' };
  }

  start(): void {
    this.#postman.outbox.retryRefused();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#alarm.abort();
    const patience = new AbortController();
    const bound = settled(this.#postman.clock.sleep(STOP_WITHIN_MS, patience.signal));
    await Promise.race([Promise.all([settled(this.#loop), settled(this.#round)]), bound]);
    patience.abort();
    this.#phase = 'closed';
  }

  /** Rounds never overlap: each begins when the one before has ended, however it ended. */
  deliverDue(): Promise<void> {
    this.#round = settled(this.#round).then(() => this.#deliverRound());
    return this.#round;
  }

  wake(): void {
    this.#alarm.abort();
  }

  state(): ReturnType<Outbox['state']> {
    return this.#postman.outbox.state();
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
    for (const mail of outbox.due(clock.now().toISOString())) {
      if (!this.#isOpen()) return;
      await deliverMail(mail, this.#postman);
    }
  }

  #isOpen(): boolean {
    return this.#phase === 'open';
  }
}

/** Whoever needs the error has it already. */
function settled(work: Promise<void>): Promise<void> {
  return work.catch(() => undefined);
}
