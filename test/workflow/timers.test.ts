import { type RunningTimers, runTimers, type TimerPlan } from '../../src/schedule/timers';
import { TestClock } from '../support/test-clock';
import { createSqliteStore } from '../../src/adapters/sqlite/store';
import type { Store } from '../../src/ports/store';
import { recordingLogger } from '../support/recording-logger';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let clock: TestClock;
let store: Store;
let running: RunningTimers | null = null;
let wakes = 0;

beforeEach(() => {
  clock = new TestClock({ start: '2026-01-05T12:00:00.000Z', autoAdvance: false });
  store = createSqliteStore({ path: ':memory:', clock });
  wakes = 0;
});
afterEach(() => {
  running?.stop();
  running = null;
  store.close();
});

const daily = (expression: string | null, more: Partial<TimerPlan> = {}): TimerPlan => ({
  name: 'backup',
  schedule: expression === null ? null : { expression, timeZone: 'Europe/Berlin' },
  atEveryStart: false,
  ...more,
});

/** The service starts with these timers; a service that ran before is stopped. */
function start(...plans: TimerPlan[]): void {
  running?.stop();
  running = runTimers({
    store,
    clock,
    logger: recordingLogger().logger,
    plans,
    wake: () => void wakes++,
    arm: (at, fire) => {
      const off = new AbortController();
      clock.sleep(Math.max(at.getTime() - clock.now().getTime(), 0), off.signal).then(fire, () => undefined);
      return () => off.abort(new Error('called off'));
    },
  });
}

function stop(): void {
  running?.stop();
  running = null;
}

const due = (): string[] => store.timers.due().map(({ name, dueAt }) => `${name} ${dueAt}`);
/** As the worker does. */
function doAll(): void {
  for (const { name, dueAt } of store.timers.due()) store.timers.done(name, dueAt, { outcome: 'done', trouble: null });
}

test('at the first start ever nothing was missed', () => {
  start(daily('0 2 * * *'));
  expect(due()).toEqual([]);
});

test('rings when it is due, and wakes the worker; then again the next day', async () => {
  start(daily('0 2 * * *'));
  await clock.advance(13 * HOUR - 1);
  expect(due()).toEqual([]);
  const before = wakes;
  await clock.advance(1);
  expect(due()).toEqual(['backup 2026-01-06T01:00:00.000Z']);
  expect(wakes).toBeGreaterThan(before);
  doAll();
  await clock.advance(DAY);
  expect(due()).toEqual(['backup 2026-01-07T01:00:00.000Z']);
});

test('what was due while the service was down rings at the next start, once for five missed days', async () => {
  start(daily('0 2 * * *'));
  stop();
  await clock.advance(5 * DAY);
  start(daily('0 2 * * *'));
  expect(due()).toEqual(['backup 2026-01-06T01:00:00.000Z']);
  doAll();
  start(daily('0 2 * * *'));
  expect(due()).toEqual([]);
  await clock.advance(DAY);
  expect(due()).toEqual(['backup 2026-01-11T01:00:00.000Z']);
});

test('a start between two runs rings nothing', async () => {
  start(daily('0 2 * * *'));
  await clock.advance(14 * HOUR);
  doAll();
  stop();
  await clock.advance(2 * HOUR);
  start(daily('0 2 * * *'));
  expect(due()).toEqual([]);
});

test('what rang and was not done is still due after a crash', async () => {
  start(daily('0 2 * * *'));
  await clock.advance(13 * HOUR);
  stop();
  start(daily('0 2 * * *'));
  expect(due()).toEqual(['backup 2026-01-06T01:00:00.000Z']);
});

test('a run that the change to summer time moved is missed like any other, also by a start in the hour before it', async () => {
  clock = new TestClock({ start: '2026-03-28T12:00:00.000Z', autoAdvance: false });
  start(daily('30 2 * * *'));
  stop();
  await clock.advance(13 * HOUR - 60_000); // 01:59 in Berlin: 02:30 is left out and comes at 03:00, in a minute
  start(daily('30 2 * * *'));
  expect(due()).toEqual([]);
  stop();
  await clock.advance(5 * HOUR);
  start(daily('30 2 * * *'));
  expect(due()).toEqual(['backup 2026-03-29T01:00:00.000Z']);
});

test('one that is due at every start rings at every start', () => {
  const plan = daily('0 4 * * *', { name: 'reconcile', atEveryStart: true });
  start(plan);
  expect(due()).toEqual(['reconcile 2026-01-05T12:00:00.000Z']);
  doAll();
  start(plan);
  expect(due()).toHaveLength(1);
});

test('a new schedule makes nothing missed; what the old one had due while the service was down does', async () => {
  start(daily('0 2 * * *'));
  stop();
  await clock.advance(HOUR);
  start(daily('0 13 * * *')); // 14:00 in Berlin: past
  expect(due()).toEqual([]);
  stop();
  await clock.advance(2 * DAY);
  start(daily('0 5 * * *'));
  expect(due()).toEqual(['backup 2026-01-06T12:00:00.000Z']);
});

test('switched off it does not ring, and what was missed meanwhile is not caught up', async () => {
  start(daily('0 2 * * *'));
  stop();
  await clock.advance(3 * DAY);
  start(daily(null));
  expect(due()).toEqual([]);
  await clock.advance(3 * DAY);
  start(daily('0 2 * * *'));
  expect(due()).toEqual([]);
});

test.each(['in operation', 'before the next start'])(
  'a clock that was a year ahead, corrected %s, silences no timer',
  async (when) => {
    const plans = [daily('0 2 * * *'), daily('17 * * * *', { name: 'backup-ages' })];
    start(...plans);
    await clock.advance(DAY);
    doAll();
    if (when === 'before the next start') stop();
    await clock.advance(-365 * DAY); // 2025-01-06, 12:00
    if (running === null) start(...plans);
    await clock.advance(DAY);
    expect(due().sort()).toEqual(['backup 2025-01-07T01:00:00.000Z', 'backup-ages 2025-01-07T11:17:00.000Z']);
  },
);

test('a machine that slept notices within the hour what was due meanwhile, and rings it once', async () => {
  const arms: { at: Date; fire: () => void }[] = [];
  running = runTimers({
    store,
    clock,
    logger: recordingLogger().logger,
    plans: [daily('0 2 * * *')],
    wake: () => undefined,
    arm: (at, fire) => {
      arms.push({ at, fire });
      return () => undefined;
    },
  });
  expect(arms[0]?.at.toISOString()).toBe('2026-01-05T13:00:00.000Z');
  await clock.advance(3 * DAY);
  arms[0]?.fire();
  expect(due()).toEqual(['backup 2026-01-06T01:00:00.000Z']);
  doAll();
  arms[1]?.fire();
  expect(due()).toEqual([]);
});
