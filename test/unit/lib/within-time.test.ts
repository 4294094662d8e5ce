import { withinTime } from '../../../src/lib/promises';
import { TestClock } from '../../support/test-clock';

const never = (): Promise<string> => new Promise(() => undefined);

test('resolves with what the work gives in time, and leaves no timer', async () => {
  const clock = new TestClock({ autoAdvance: false });
  const done = (): Promise<string> => Promise.resolve('done');
  const late = jest.fn(() => 'late');
  await expect(withinTime({ clock, ms: 1000 }, done, late)).resolves.toBe('done');
  await clock.advance(1000);
  expect(late).not.toHaveBeenCalled();
});

test('resolves with what `late` makes, not before the time is over', async () => {
  const clock = new TestClock({ autoAdvance: false });
  const ended = jest.fn();
  const waiting = withinTime({ clock, ms: 1000 }, never, () => 'late').then(ended);
  await clock.advance(999);
  expect(ended).not.toHaveBeenCalled();
  await clock.advance(1);
  await waiting;
  expect(ended).toHaveBeenCalledWith('late');
});

test.each([
  ['the work', () => Promise.reject(new Error('broken'))],
  [
    'the call of the work',
    () => {
      throw new Error('broken');
    },
  ],
])('rejects as %s does', async (_, work) => {
  const clock = new TestClock({ autoAdvance: false });
  await expect(withinTime({ clock, ms: 1000 }, work, () => 'late')).rejects.toThrow('broken');
});

test('rejects as `late` throws', async () => {
  const clock = new TestClock();
  const late = (): never => {
    throw new Error('no answer');
  };
  await expect(withinTime({ clock, ms: 1000 }, never, late)).rejects.toThrow('no answer');
});
