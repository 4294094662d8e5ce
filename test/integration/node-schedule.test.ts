import { createSqliteStore } from '../../src/adapters/sqlite/store';
import { systemClock } from '../../src/lib/clock';
import { armWithNodeSchedule, runTimers } from '../../src/schedule/timers';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/recording-logger';

test('a timer of every second rings by the real node-schedule again and again, and never once it is stopped', async () => {
  const store = createSqliteStore({ path: ':memory:', clock: systemClock });
  const rung = new Set<string>();
  const running = runTimers({
    store,
    clock: systemClock,
    logger: recordingLogger().logger,
    plans: [
      { name: 'backup', schedule: { expression: '* * * * * *', timeZone: 'Europe/Berlin' }, atEveryStart: false },
    ],
    wake: () => {
      for (const { name, dueAt } of store.timers.due()) {
        rung.add(dueAt);
        store.timers.done(name, dueAt, { outcome: 'done', trouble: null });
      }
    },
  });
  await eventually('it rang twice', () => rung.size >= 2);
  running.stop();
  store.close(); // a ring from now on would throw
  expect([...rung].every((dueAt) => Number.isInteger(Date.parse(dueAt) / 1000))).toBe(true);
});

test('a time that has just passed fires all the same', async () => {
  const fired = new Promise<void>((resolve) => armWithNodeSchedule(new Date(Date.now() - 5), resolve));
  await expect(fired).resolves.toBeUndefined();
});

test('what is called off does not fire', async () => {
  let fired = false;
  armWithNodeSchedule(new Date(Date.now() - 5), () => (fired = true))();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(fired).toBe(false);
});
