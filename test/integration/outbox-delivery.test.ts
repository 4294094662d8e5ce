import { createFileTransport } from '../../src/adapters/mail-file/file-transport';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { MailError } from '../../src/domain/errors';
import { createDelivery, type Delivery } from '../../src/notifications/deliver';
import { updateAvailable } from '../../src/notifications/mails/offer';
import { postMail } from '../../src/notifications/post-mail';
import { systemClock } from '../../src/lib/clock';
import type { Mail, MailTransport } from '../../src/ports/mail-transport';
import type { Store } from '../../src/ports/store';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { anUpdate, news } from '../support/news-builder';
import { recordingLogger, type LogLine } from '../support/recording-logger';
import { TestClock } from '../support/test-clock';

const ADDRESSES = { from: 'pilot@example.org', to: ['ops@example.org'] };
const later = (): MailError => new MailError('mail_unreachable', 'nobody there', false);
const never = (): MailError => new MailError('mail_refused', 'sender not verified', true);

let store: Store;
let clock: TestClock;
let lines: LogLine[];
let logger: ReturnType<typeof recordingLogger>['logger'];
beforeEach(() => {
  clock = new TestClock({ autoAdvance: false });
  store = createSqliteStore({ path: ':memory:', clock });
  ({ logger, lines } = recordingLogger());
});
afterEach(() => store.close());

/** A mail about a container of that name, posted as the workflow does it. */
function post(container: string): string {
  return store.transaction(() => postMail(store.outbox, updateAvailable(news({ update: anUpdate({ container }) }))));
}

/** Answers each send as the test says, and keeps what it was given. */
function transportThat(answer: (mail: Mail) => Promise<void>): { transport: MailTransport; tried: Mail[] } {
  const tried: Mail[] = [];
  const send = (mail: Mail): Promise<void> => {
    tried.push(mail);
    return answer(mail);
  };
  return { transport: { send, check: () => Promise.resolve() }, tried };
}

function deliveryBy(transport: MailTransport): Delivery {
  return createDelivery({ store, transport, clock, logger, ...ADDRESSES, random: () => 0 });
}

const statusOf = (id: string): string | undefined => store.outbox.recent(100).find((mail) => mail.id === id)?.status;

describe('the outbox is delivered', () => {
  it('oldest first, one at a time, under the ids of the outbox', async () => {
    const ids = ['one', 'two', 'three'].map(post);
    let underWay = 0;
    const { transport, tried } = transportThat(async () => {
      expect((underWay += 1)).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    });
    const delivery = deliveryBy(transport);
    await Promise.all([delivery.deliverDue(), delivery.deliverDue()]);
    expect(tried.map(({ id }) => id)).toEqual(ids);
    expect(tried[0]).toMatchObject({ ...ADDRESSES, subject: expect.stringContaining('one') });
    expect(store.outbox.state()).toMatchObject({ pending: 0, refused: 0 });
  });

  it('no mail exists of a state that was undone', () => {
    const undone = (): void =>
      store.transaction(() => {
        post('nginx');
        throw new Error('the disk is full');
      });
    expect(undone).toThrow('the disk is full');
    expect(store.outbox.recent(10)).toEqual([]);
  });

  it('a mail that cannot go out now waits twice as long each time, from 1 s to 15 min, and is not lost', async () => {
    const id = post('nginx');
    const { transport, tried } = transportThat(() => Promise.reject(later()));
    const delivery = deliveryBy(transport);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt++) {
      await delivery.deliverDue();
      const next = store.outbox.recent(1)[0]?.nextAttemptAt ?? '';
      waits.push((Date.parse(next) - clock.now().getTime()) / 1000);
      await delivery.deliverDue(); // not due: nothing is tried
      expect(tried).toHaveLength(attempt);
      await clock.advance((waits.at(-1) ?? 0) * 1000);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 450, 450, 450, 450, 450]);
    expect(statusOf(id)).toBe('pending');
    expect(store.outbox.state().lastError).toBe('nobody there');
  });

  it('one that fails does not hold up the next', async () => {
    const [bad, good] = [post('bad'), post('good')];
    const { transport } = transportThat(({ id }) => (id === bad ? Promise.reject(later()) : Promise.resolve()));
    await deliveryBy(transport).deliverDue();
    expect([bad, good].map(statusOf)).toEqual(['pending', 'sent']);
  });

  it('a refused mail is kept, not tried again, and tried once more at the next start', async () => {
    const id = post('nginx');
    const refusing = transportThat(() => Promise.reject(never()));
    const first = deliveryBy(refusing.transport);
    await first.deliverDue();
    await clock.advance(60 * 60_000);
    await first.deliverDue();
    expect(refusing.tried).toHaveLength(1);
    expect(store.outbox.state()).toMatchObject({ refused: 1, lastError: 'sender not verified' });
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', mail: id }));

    const second = deliveryBy(transportThat(() => Promise.resolve()).transport);
    second.start();
    await eventually('the mail is sent', () => statusOf(id) === 'sent');
    await second.stop();
  });

  it('a defect of a transport is no reason to lose the mail', async () => {
    const id = post('nginx');
    await deliveryBy(transportThat(() => Promise.reject(new TypeError('x is not a function'))).transport).deliverDue();
    expect(statusOf(id)).toBe('pending');
  });
});

describe('a mail server that hangs', () => {
  it('is given up after 60 s, and the mails behind go out', async () => {
    const [stuck, next] = [post('stuck'), post('next')];
    let finish = (): void => undefined;
    const { transport, tried } = transportThat(({ id }) =>
      id === stuck ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(),
    );
    const round = deliveryBy(transport).deliverDue();
    await eventually('the send is under way', () => tried.length === 1);
    await clock.advance(60_000);
    await round;
    expect([stuck, next].map(statusOf)).toEqual(['pending', 'sent']);
    finish(); // it went out after all: it is not sent a second time
    await eventually('the late mail is marked', () => statusOf(stuck) === 'sent');
  });

  it('that takes a mail after it was given up and the service has stopped writes nothing', async () => {
    const id = post('stuck');
    let finish = (): void => undefined;
    const { transport, tried } = transportThat(() => new Promise((resolve) => (finish = resolve)));
    const delivery = deliveryBy(transport);
    const round = delivery.deliverDue();
    await eventually('the send is under way', () => tried.length === 1);
    await clock.advance(60_000);
    await round;
    await delivery.stop();
    finish();
    await clock.advance(1);
    expect(statusOf(id)).toBe('pending');
  });

  it('does not hold up stop: after 5 s it is over, and nothing is written any more', async () => {
    const id = post('stuck');
    let finish = (): void => undefined;
    const { transport, tried } = transportThat(() => new Promise((resolve) => (finish = resolve)));
    const delivery = deliveryBy(transport);
    delivery.start();
    await eventually('the send is under way', () => tried.length === 1);
    const stopped = delivery.stop();
    await clock.advance(5_000);
    await stopped;
    finish();
    await clock.advance(1);
    expect(statusOf(id)).toBe('pending');
  });
});

describe('running in the background', () => {
  it('sends what is posted after the start: at once when woken, else within a second', async () => {
    const delivery = deliveryBy(transportThat(() => Promise.resolve()).transport);
    delivery.start();
    await clock.advance(1);
    const woken = post('woken');
    delivery.wake();
    await eventually('the woken mail is sent', () => statusOf(woken) === 'sent');
    const found = post('found');
    await clock.advance(1_000);
    await eventually('the other mail is found', () => statusOf(found) === 'sent');
    await delivery.stop();
  });

  it('goes on after the store failed for a while', async () => {
    const id = post('nginx');
    let broken = true;
    const outbox = {
      ...store.outbox,
      due: (now: string) => {
        if (broken) throw new Error('database is locked');
        return store.outbox.due(now);
      },
    };
    const { transport } = transportThat(() => Promise.resolve());
    const delivery = createDelivery({ store: { outbox }, transport, clock, logger, ...ADDRESSES });
    delivery.start();
    await eventually('the failure is in the log', () => lines.some(({ error }) => error === 'database is locked'));
    broken = false;
    await clock.advance(1_000);
    await eventually('the mail is sent', () => statusOf(id) === 'sent');
    await delivery.stop();
  });

  it('a crash between sending and marking leaves one file, not two', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'outbox-'));
    const id = post('nginx');
    const crash = {
      ...store.outbox,
      sent: () => {
        throw new Error('killed');
      },
    };
    const parts = { transport: createFileTransport({ folder }), clock: systemClock, logger, ...ADDRESSES };
    await expect(createDelivery({ ...parts, store: { outbox: crash } }).deliverDue()).rejects.toThrow('killed');
    await createDelivery({ ...parts, store }).deliverDue();
    expect(await readdir(folder)).toEqual([`${id}.eml`]);
    expect(statusOf(id)).toBe('sent');
    await rm(folder, { recursive: true });
  });
});

describe('while the store cannot be written', () => {
  /** Reads work, as on a read-only disk. */
  function readOnly(): { outbox: Store['outbox']; repair: () => void } {
    let broken = true;
    const unless = <Args extends unknown[]>(write: (...args: Args) => void) => {
      return (...args: Args): void => {
        if (broken) throw new Error('attempt to write a readonly database');
        write(...args);
      };
    };
    const { outbox } = store;
    const writes: Partial<Store['outbox']> = {
      sent: unless((...args: Parameters<typeof outbox.sent>) => outbox.sent(...args)),
      deferred: unless((...args: Parameters<typeof outbox.deferred>) => outbox.deferred(...args)),
      refused: unless((...args: Parameters<typeof outbox.refused>) => outbox.refused(...args)),
    };
    return { outbox: { ...outbox, ...writes }, repair: () => void (broken = false) };
  }

  const start = (outbox: Store['outbox'], transport: MailTransport): Delivery => {
    const delivery = createDelivery({ store: { outbox }, transport, clock, logger, ...ADDRESSES, random: () => 0 });
    delivery.start();
    return delivery;
  };

  it('each mail is sent once, and marked as sent when the store can be written', async () => {
    const ids = [post('first'), post('next')];
    const { outbox, repair } = readOnly();
    const { transport, tried } = transportThat(() => Promise.resolve());
    const delivery = start(outbox, transport);
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(tried.map(({ id }) => id)).toEqual(ids);
    expect(ids.map(statusOf)).toEqual(['pending', 'pending']);
    expect(lines).toContainEqual(expect.objectContaining({ error: 'attempt to write a readonly database' }));
    repair();
    await clock.advance(1_000);
    expect(ids.map(statusOf)).toEqual(['sent', 'sent']);
    expect(tried).toHaveLength(2);
    await delivery.stop();
  });

  it('one that failed is retried with growing delays, and sent once', async () => {
    const id = post('nginx');
    const { outbox, repair } = readOnly();
    const at: number[] = [];
    const { transport } = transportThat(() => {
      at.push(clock.tick() / 1_000);
      return at.length === 4 ? Promise.resolve() : Promise.reject(later());
    });
    const delivery = start(outbox, transport);
    for (let second = 0; second < 20; second++) await clock.advance(1_000);
    expect(at.slice(1).map((tick, i) => tick - (at[i] ?? 0))).toEqual([1, 2, 4]);
    repair();
    await clock.advance(1_000);
    expect(statusOf(id)).toBe('sent');
    expect(at).toHaveLength(4);
    await delivery.stop();
  });

  it('a refused mail is not tried again', async () => {
    const id = post('nginx');
    const { outbox, repair } = readOnly();
    const { transport, tried } = transportThat(() => Promise.reject(never()));
    const delivery = start(outbox, transport);
    for (let second = 0; second < 5; second++) await clock.advance(1_000);
    expect(tried).toHaveLength(1);
    repair();
    await clock.advance(1_000);
    expect(statusOf(id)).toBe('refused');
    await delivery.stop();
  });
});
