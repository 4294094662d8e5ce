import { openDatabase } from '../../src/adapters/sqlite/database';
import { storeIn } from '../../src/adapters/sqlite/store';
import type { ChannelNotice, ChannelTarget } from '../../src/domain/channel-notice';
import type { NewMail } from '../../src/ports/outbox';
import { TestClock } from '../support/test-clock';

// /health and /metrics ask for what is not delivered, every few seconds and for years.

const channel: ChannelTarget = { kind: 'ntfy', id: 'c1', name: 'ntfy at ntfy.example.org', topics: ['failures'] };
const notice: ChannelNotice = {
  ...{ kind: 'update_failed', topic: 'failures', title: 't', verdict: 'Failed', priority: 4 },
  ...{ text: [], link: null },
};
const mail = (more: Partial<NewMail> = {}): NewMail => ({
  ...{ kind: 'update_failed', updateId: null, subject: 's', html: 'h', text: 't' },
  ...more,
});

const database = openDatabase(':memory:');
const store = storeIn(database, new TestClock());
afterAll(() => store.close());

test('the state of the outbox and of a channel is read without a scan of what was delivered', () => {
  const prepare = jest.spyOn(database, 'prepare');
  store.outbox.state();
  store.channels.of('c1').state();
  const asked = prepare.mock.calls.map(([sql]) => sql);
  prepare.mockRestore();
  expect(asked).toHaveLength(3);
  for (const sql of asked) {
    const given = { now: '', channel: '' };
    const plan = database.prepare<[typeof given], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(given);
    const unbounded = plan.filter(({ detail }) => /^SCAN/.test(detail) && !/undelivered/.test(detail));
    expect([sql, unbounded]).toEqual([sql, []]);
  }
});

test('what is delivered is deleted once it is old, and never what a mail server or a channel still lacks', () => {
  store.channels.use([channel]);
  const ids = {
    sent: store.outbox.add(mail()),
    pending: store.outbox.add(mail()),
    refused: store.outbox.add(mail()),
    onItsWay: store.outbox.add(mail({ notice })),
    never: store.outbox.add(mail({ mailed: false })),
  };
  for (const id of [ids.sent, ids.onItsWay]) store.outbox.sent(id);
  store.outbox.refused(ids.refused, 'no such user');
  expect(store.outbox.prune('2026-01-01T00:00:00.000Z')).toBe(0);
  expect(store.outbox.prune('2999-01-01T00:00:00.000Z')).toBe(2);
  expect(store.outbox.recent(9).map(({ id }) => id)).toEqual([ids.onItsWay, ids.refused, ids.pending]);
  store.channels.of('c1').sent(ids.onItsWay);
  expect(store.outbox.prune('2999-01-01T00:00:00.000Z')).toBe(1);
  expect(store.outbox.state()).toMatchObject({ pending: 1, refused: 1, lastError: 'no such user' });
});
