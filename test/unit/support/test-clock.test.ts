import { TestClock } from '../../support/test-clock';

it('jumps to the earliest sleeper when there is nothing else to do', async () => {
  const clock = new TestClock({ start: '2026-01-05T03:00:00Z' });
  const woken: string[] = [];
  const sleep = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    woken.push(`${name} ${clock.now().toISOString().slice(11, 19)}`);
  };
  await Promise.all([sleep('late', 60_000), sleep('early', 1000), sleep('middle', 30_000)]);
  expect(woken).toEqual(['early 03:00:01', 'middle 03:00:30', 'late 03:01:00']);
});

it('stands still until it is moved, when it is manual', async () => {
  const clock = new TestClock({ autoAdvance: false });
  let awake = false;
  const sleeping = clock.sleep(1000).then(() => (awake = true));
  await clock.advance(999);
  expect(awake).toBe(false);
  await clock.advance(1);
  expect(awake).toBe(true);
  await sleeping;
});

it('rejects with the reason of the signal, and does not wake any more', async () => {
  const clock = new TestClock({ autoAdvance: false });
  const abort = new AbortController();
  const sleeping = clock.sleep(1000, abort.signal);
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(clock.sleep(1000, abort.signal)).rejects.toBe(reason);
});

it('moves the wall clock alone when it is set back: the tick and who sleeps wait no longer', async () => {
  const clock = new TestClock({ start: '2026-01-05T03:00:00Z', autoAdvance: false });
  await clock.advance(5000);
  let awake = false;
  const sleeping = clock.sleep(1000).then(() => (awake = true));
  await clock.advance(-3_600_000);
  expect([clock.now().toISOString(), clock.tick(), awake]).toEqual(['2026-01-05T02:00:05.000Z', 5000, false]);
  await clock.advance(1000);
  expect([clock.now().toISOString(), clock.tick(), awake]).toEqual(['2026-01-05T02:00:06.000Z', 6000, true]);
  await sleeping;
});
