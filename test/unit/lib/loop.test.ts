import { startLoop } from '../../../src/lib/loop';
import { TestClock } from '../../support/test-clock';

const HOUR = 3_600_000;

/** Counts turns; `outcomes` are what they come to, the last one for all further. */
function loopOf(outcomes: (boolean | Error)[]) {
  const clock = new TestClock({ autoAdvance: false });
  let turns = 0;
  const loop = startLoop({
    clock,
    restMs: HOUR,
    gatherMs: 100,
    turn: () => {
      const outcome = outcomes[Math.min(turns++, outcomes.length - 1)];
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome ?? false);
    },
    failed: () => 3_000,
  });
  return { clock, loop, turns: () => turns };
}

it('takes turn after turn while there is more, then rests', async () => {
  const { clock, loop, turns } = loopOf([true, true, false]);
  await clock.advance(0);
  expect(turns()).toBe(3);
  await clock.advance(HOUR);
  expect(turns()).toBe(4);
  await loop.stop();
});

it('is woken from its rest, and gathers what comes with it into one turn', async () => {
  const { clock, loop, turns } = loopOf([false]);
  await clock.advance(10);
  for (let wake = 0; wake < 50; wake++) loop.wake();
  await clock.advance(0);
  await clock.advance(99);
  expect(turns()).toBe(1);
  await clock.advance(1);
  expect(turns()).toBe(2);
  await loop.stop();
});

it('does not miss a wake that comes during a turn', async () => {
  const { clock, loop, turns } = loopOf([false]);
  loop.wake();
  await clock.advance(0);
  await clock.advance(100);
  expect(turns()).toBe(2);
  await loop.stop();
});

it('rests after a failure, whoever wakes it', async () => {
  const { clock, loop, turns } = loopOf([new Error('no engine'), false]);
  await clock.advance(10);
  loop.wake();
  await clock.advance(2_000);
  expect(turns()).toBe(1);
  await clock.advance(1_000);
  expect(turns()).toBe(2);
  await loop.stop();
});

it('stops at once, also from its rest', async () => {
  const { clock, loop, turns } = loopOf([false]);
  await clock.advance(10);
  await loop.stop();
  await clock.advance(2 * HOUR);
  expect(turns()).toBe(1);
});
