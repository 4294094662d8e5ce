import fc from 'fast-check';
import { intervalMs, nextDue } from '../../../src/lib/due-times';

const at = (expression: string, timeZone: string, after: string): string =>
  nextDue({ expression, timeZone }, new Date(after)).toISOString();
/** The times that follow one another, as a timer sees them. */
function follow(expression: string, timeZone: string, after: string, count: number): string[] {
  const times: string[] = [];
  for (let from = after; times.length < count; from = times.at(-1) as string)
    times.push(at(expression, timeZone, from));
  return times;
}

test.each([
  ['0 2 * * *', 'UTC', '2026-01-05T01:59:59Z', '2026-01-05T02:00:00.000Z'],
  ['0 2 * * *', 'UTC', '2026-01-05T02:00:00Z', '2026-01-06T02:00:00.000Z'],
  ['0 2 * * *', 'Europe/Berlin', '2026-01-05T00:00:00Z', '2026-01-05T01:00:00.000Z'],
  ['30 3 * * 0', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-05T01:30:00.000Z'],
  ['30 3 * * 0', 'America/New_York', '2026-07-01T00:00:00Z', '2026-07-05T07:30:00.000Z'],
])('%s in %s after %s is due at %s', (expression, timeZone, after, due) => {
  expect(at(expression, timeZone, after)).toBe(due);
});

test('a time that spring leaves out is due when the clock jumps, once', () => {
  expect(follow('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3)).toEqual([
    '2026-03-28T01:30:00.000Z', // 02:30
    '2026-03-29T01:00:00.000Z', // 03:00, as 02:30 is not there
    '2026-03-30T00:30:00.000Z', // 02:30
  ]);
});

test('an hour that autumn has twice is due the first time only', () => {
  expect(follow('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
    '2026-10-25T00:30:00.000Z', // 02:30, summer time
    '2026-10-26T01:30:00.000Z', // 02:30
  ]);
  expect(at('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:45:00Z')).toBe('2026-10-26T01:30:00.000Z');
});

test('an interval goes on through both changes of the clock', () => {
  expect(follow('*/20 * * * *', 'Europe/Berlin', '2026-10-25T00:20:00Z', 3)).toEqual([
    '2026-10-25T00:40:00.000Z', // 02:40, summer time
    '2026-10-25T01:00:00.000Z', // 02:00
    '2026-10-25T01:20:00.000Z', // 02:20
  ]);
  expect(follow('*/20 * * * *', 'Europe/Berlin', '2026-03-29T00:20:00Z', 2)).toEqual([
    '2026-03-29T00:40:00.000Z', // 01:40
    '2026-03-29T01:00:00.000Z', // 03:00
  ]);
});

test('an expression without a next time is refused', () => {
  expect(() => at('0 0 30 2 *', 'UTC', '2026-01-05T00:00:00Z')).toThrow('names no time');
});

test('is later than asked for, and not twice within an hour for a daily timer, whatever the zone does', () => {
  const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC');
  const time = fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(zone, time, fc.nat(59), fc.nat(23), (timeZone, after, minute, hour) => {
      const schedule = { expression: `${minute} ${hour} * * *`, timeZone };
      const due = nextDue(schedule, after);
      const next = nextDue(schedule, due);
      expect(due.getTime()).toBeGreaterThan(after.getTime());
      expect(due.getTime() - after.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
      expect(next.getTime() - due.getTime()).toBeGreaterThanOrEqual(22 * 3_600_000);
    }),
    { numRuns: 300 },
  );
});

test('tells how far two runs are apart', () => {
  expect(intervalMs({ expression: '0 2 * * *', timeZone: 'UTC' }, new Date('2026-01-05T00:00:00Z'))).toBe(86_400_000);
  expect(intervalMs({ expression: '0 2 * * 0', timeZone: 'UTC' }, new Date('2026-01-05T00:00:00Z'))).toBe(
    7 * 86_400_000,
  );
});
