import fc from 'fast-check';
import { nextOpening, readWindow, type UpdateWindow } from '../../../src/domain/decision/update-window';

const isInWindow = (window: Pick<UpdateWindow, 'ranges'>, at: Date, timeZone: string): boolean =>
  nextOpening(window, at, timeZone).getTime() === at.getTime();

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
  ['Saturday,tues,Thurs 22:00-04:00', [2, 4, 6], 1320, 240],
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
  'Satx 02:00-05:00',
  'Sa 02:00-05:00',
  'Sunmon 02:00-05:00',
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

  // 2026-03-29, 02:00 becomes 03:00 (01:00Z). 2026-10-25, 03:00 becomes 02:00 (01:00Z).
  test.each([
    ['inside the hour that does not exist: when the clocks change', '02:00-03:00', '2026-03-29', ['01:00-02:00']],
    ['inside it, and shorter', '02:30-02:45', '2026-03-29', ['01:00-01:15']],
    ['from inside it: when the clocks change', '02:30-05:00', '2026-03-29', ['01:00-03:00']],
    ['into it: until the clocks change', '01:30-02:30', '2026-03-29', ['00:30-01:00']],
    ['around it', '01:00-04:00', '2026-03-29', ['00:00-02:00']],
    ['that ends as it starts', '01:00-02:00', '2026-03-29', ['00:00-01:00']],
    ['that starts as it ends', '03:00-04:00', '2026-03-29', ['01:00-02:00']],
    ['two that overlap around it', '01:30-02:30; 02:15-03:15', '2026-03-29', ['00:30-01:15']],
    ['the hour that comes twice, both times', '02:00-03:00', '2026-10-25', ['00:00-02:00']],
    ['inside it, both times, and closed in between', '02:30-02:45', '2026-10-25', ['00:30-00:45', '01:30-01:45']],
    [
      'into it: closed when the clocks show its end, and open again',
      '01:00-02:30',
      '2026-10-25',
      ['23:00-00:30', '01:00-01:30'],
    ],
    ['from inside it: closed while the clocks show less', '02:30-05:00', '2026-10-25', ['00:30-01:00', '01:30-04:00']],
    ['around it: an hour longer', '01:00-04:00', '2026-10-25', ['23:00-03:00']],
    ['two that overlap in it', '02:00-02:30; 02:20-02:40', '2026-10-25', ['00:00-00:40', '01:00-01:40']],
    ['of the night before', 'Sat 22:00-04:00', '2026-10-25', ['20:00-03:00']],
    ['of the day on which clocks go forward, whole', 'Sun 00:00-24:00', '2026-03-29', ['23:00-22:00']],
  ])('on the night when clocks change, a window %s', (_, text, day, open) => {
    expect(openingsAround(text, day)).toEqual(open);
  });
});

/** When it is open from noon (UTC) of the day before to 22:30 of a day, as `HH:MM-HH:MM` in UTC, looked at every five minutes. */
function openingsAround(text: string, day: string): string[] {
  const read = window(text);
  const found: string[][] = [];
  let before = false;
  for (let at = Date.parse(`${day}T12:00Z`) - 86_400_000; at <= Date.parse(`${day}T22:30Z`); at += 300_000) {
    const isOpen = isInWindow(read, new Date(at), BERLIN);
    if (isOpen && !before) found.push([timeOf(new Date(at))]);
    if (!isOpen && before) found.at(-1)?.push(timeOf(new Date(at)));
    before = isOpen;
  }
  return found.map((times) => times.join('-'));
}
const timeOf = (at: Date): string => at.toISOString().slice(11, 16);

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

test('in every zone, the clock on the wall decides, also in the hours around a change of the clocks', () => {
  // Of 2026, and one change by half an hour.
  const changes = fc.constantFrom<[string, string]>(
    [BERLIN, '2026-03-29T01:00Z'],
    [BERLIN, '2026-10-25T01:00Z'],
    ['America/New_York', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['America/Santiago', '2026-04-05T03:00Z'],
  );
  const minute = fc.integer({ min: 0, max: 287 }).map((fives) => fives * 5);
  fc.assert(
    fc.property(changes, minute, minute, fc.integer({ min: -180, max: 180 }), ([zone, change], from, to, away) => {
      fc.pre(from !== to);
      const at = new Date(Date.parse(change) + away * 60_000);
      const shown = new Intl.DateTimeFormat('en', {
        hour: 'numeric',
        minute: 'numeric',
        hourCycle: 'h23',
        timeZone: zone,
      });
      const [hour = 0, minuteOfHour = 0] = shown.format(at).split(':').map(Number);
      const wall = hour * 60 + minuteOfHour;
      const shows = from < to ? from <= wall && wall < to : from <= wall || wall < to;
      const isOpen = isInWindow({ ranges: [{ days: [0, 1, 2, 3, 4, 5, 6], from, to }] }, at, zone);
      // A window that the clocks skip as a whole opens after the change: only that is not as the clock shows it.
      const skipped = isOpen && !shows;
      if (skipped) expect(Math.abs(to - from)).toBeLessThanOrEqual(60);
      else expect(isOpen).toBe(shows);
    }),
    { numRuns: 2000 },
  );
});
