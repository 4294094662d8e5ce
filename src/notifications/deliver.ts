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

export function createDelivery({ store, random = Math.random, ...parts }: DeliveryParts): Delivery {
  const { clock, logger } = parts;
  const { outbox } = store;
  let phase: 'open' | 'stopping' | 'closed' = 'open';
  let alarm = new AbortController();
  let round: Promise<void> = Promise.resolve();
  let loop: Promise<void> = Promise.resolve();
  const postman: Postman = { ...parts, outbox, random, mayRecord: () => phase !== 'closed' };

  async function deliverRound(): Promise<void> {
    for (const mail of outbox.due(clock.now().toISOString())) {
      if (phase !== 'open') return;
      await deliverMail(mail, postman);
    }
  }

  /** Rounds never overlap: each begins when the one before has ended, however it ended. */
  const deliverDue = (): Promise<void> => (round = settled(round).then(deliverRound));

  async function run(): Promise<void> {
    while (phase === 'open') {
      alarm = new AbortController();
      await deliverDue().catch((error: unknown) => {
        logger.error('the outbox cannot be read or written', { error: messageOf(error) });
      });
      if (phase === 'open') await settled(clock.sleep(LOOK_AGAIN_MS, alarm.signal));
    }
  }

  return {
    start: () => {
      outbox.retryRefused();
      loop = run();
    },
    stop: async () => {
      phase = 'stopping';
      alarm.abort();
      const patience = new AbortController();
      const bound = settled(clock.sleep(STOP_WITHIN_MS, patience.signal));
      await Promise.race([Promise.all([settled(loop), settled(round)]), bound]);
      patience.abort();
      phase = 'closed';
    },
    deliverDue,
    wake: () => alarm.abort(),
    state: () => outbox.state(),
  };
}

/** Whoever needs the error has it already. */
function settled(work: Promise<void>): Promise<void> {
  return work.catch(() => undefined);
}
