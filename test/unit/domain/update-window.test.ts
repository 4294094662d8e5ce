import fc from 'fast-check';
import { isInWindow, nextOpening, readWindow, type UpdateWindow } from '../../../src/domain/decision/update-window';

const BERLIN = 'Europe/Berlin';
const window = (text: string): UpdateWindow => {
  const read = readWindow(text);
  if ('problem' in read) throw new Error(read.problem);
  return read;
};
const next = (text: string, at: string, zone = BERLIN): string =>
  nextOpening(window(text), new Date(at), zone).toISOString().slice(0, 16);

test.each([
  ['02:00-05:00', [0, 1, 2, 3, 4, 5, 6], 120, 300],
  ['Sat,Sun 02:00-05:00', [0, 6], 120, 300],
  ['Mon-Fri 22:00-04:00', [1, 2, 3, 4, 5], 1320, 240],
  ['fri-mon 0:00-24:00', [0, 1, 5, 6], 0, 1440],
  ['Saturday, Sunday 02:00 - 05:00', [0, 6], 120, 300],
])('%s is read', (text, days, from, to) => {
  expect(window(text).ranges).toEqual([{ days, from, to }]);
});

test.each([
  '',
  'Sat',
  '02:00',
  '25:00-26:00',
  '02:60-03:00',
  'Foo 02:00-03:00',
  'Mon-Tue-Wed 02:00-03:00',
  '02:00-03:00;',
  '24:00-25:00',
])('%j is refused', (text) => expect(readWindow(text)).toHaveProperty('problem'));

test('a window without length never opens, and the problem says so', () => {
  expect(readWindow('Sat 02:00-02:00')).toEqual({ problem: expect.stringMatching(/never opens/) });
});

describe('the next opening', () => {
  // 2026-01-07 is a Wednesday; Berlin is one hour ahead of UTC in winter.
  test.each([
    ['02:00-05:00', '2026-01-07T00:30Z', '2026-01-07T01:00'],
    ['02:00-05:00', '2026-01-07T02:30Z', '2026-01-07T02:30'],
    ['02:00-05:00', '2026-01-07T04:00Z', '2026-01-08T01:00'],
    ['Sat,Sun 02:00-05:00', '2026-01-07T02:30Z', '2026-01-10T01:00'],
    ['Wed 02:00-05:00', '2026-01-07T04:00Z', '2026-01-14T01:00'],
    ['Tue 22:00-04:00', '2026-01-07T02:30Z', '2026-01-07T02:30'],
    ['Tue 22:00-04:00', '2026-01-07T03:00Z', '2026-01-13T21:00'],
    ['Mon 00:00-24:00', '2026-01-05T22:59Z', '2026-01-05T22:59'],
    ['Mon 00:00-24:00', '2026-01-05T23:00Z', '2026-01-11T23:00'],
    ['Sat 02:00-05:00; Thu 01:00-02:00', '2026-01-07T12:00Z', '2026-01-08T00:00'],
    ['01:00-04:00; 03:00-06:00', '2026-01-07T03:30Z', '2026-01-07T03:30'],
  ])('%s at %s', (text, at, expected) => expect(next(text, at)).toBe(expected));

  test('clocks go forward: a window in the hour that does not exist opens after it, for its length', () => {
    // 2026-03-29, 02:00 becomes 03:00 (01:00Z).
    expect(next('02:00-03:00', '2026-03-29T00:30Z')).toBe('2026-03-29T01:00');
    expect(isInWindow(window('02:00-03:00'), new Date('2026-03-29T01:59Z'), BERLIN)).toBe(true);
    expect(isInWindow(window('02:00-03:00'), new Date('2026-03-29T02:00Z'), BERLIN)).toBe(false);
    expect(next('02:30-05:00', '2026-03-29T00:30Z')).toBe('2026-03-29T01:30');
  });

  test('clocks go back: the hour that comes twice is open both times', () => {
    // 2026-10-25, 03:00 becomes 02:00 (01:00Z).
    expect(next('02:00-03:00', '2026-10-24T12:00Z')).toBe('2026-10-25T00:00');
    expect(next('02:00-03:00', '2026-10-25T01:59Z')).toBe('2026-10-25T01:59');
    expect(next('02:00-03:00', '2026-10-25T02:00Z')).toBe('2026-10-26T01:00');
  });
});

test('in every zone, at every moment: it opens within eight days, is open then, and was not before', () => {
  const zones = fc.constantFrom(
    'UTC',
    BERLIN,
    'America/New_York',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Asia/Kathmandu',
  );
  const time = fc.record({ from: fc.integer({ min: 0, max: 1439 }), to: fc.integer({ min: 1, max: 1440 }) });
  const days = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 });
  const at = fc.date({ min: new Date('2025-01-01'), max: new Date('2027-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(zones, time, days, at, (zone, { from, to }, on, date) => {
      fc.pre(from !== to);
      const ranges = { ranges: [{ days: on, from, to }] };
      const opening = nextOpening(ranges, date, zone);
      expect(opening.getTime() - date.getTime()).toBeLessThan(8 * 86_400_000);
      expect(isInWindow(ranges, opening, zone)).toBe(true);
      if (opening > date) expect(isInWindow(ranges, new Date(opening.getTime() - 1), zone)).toBe(false);
    }),
    { numRuns: 500 },
  );
});
