import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { runTimers } from '../../src/schedule/timers';
import { recordingLogger } from '../support/recording-logger';
import { TestClock } from '../support/test-clock';

const DAY_MS = 86_400_000;

test('a clock that was a year ahead delays no mail, no retry and no alarm once it is set back', async () => {
  const clock = new TestClock({ autoAdvance: false });
  const store = createSqliteStore({ path: ':memory:', clock });
  const schedule = { expression: '0 2 * * *', timeZone: 'UTC' };
  const plans = [{ name: 'backup' as const, schedule, atEveryStart: false }];
  const arm = (): (() => void) => () => undefined;
  const start = (): void => {
    runTimers({ store, clock, logger: recordingLogger().logger, plans, wake: () => undefined, arm }).stop();
  };
  const later = (ms: number): string => new Date(clock.now().getTime() + ms).toISOString();
  await clock.advance(365 * DAY_MS);
  start();
  const mail = store.outbox.add({ kind: 'update_failed', updateId: null, subject: 's', html: 'h', text: 't' });
  store.outbox.deferred(mail, 'no answer', later(60_000));
  store.renewals.insert({ reason: 'retry', dueAt: later(DAY_MS) });
  store.certificates.alarmed('a fingerprint', 0);
  await clock.advance(-365 * DAY_MS);
  start();
  const now = clock.now().toISOString();
  expect(store.outbox.due(now).map(({ id }) => id)).toEqual([mail]);
  expect(store.renewals.queued()).toMatchObject({ dueAt: now });
  expect(store.certificates.alarmedAt('a fingerprint')).toBeNull();
  store.close();
});
