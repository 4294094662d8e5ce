import fc from 'fast-check';
import {
  formatAge,
  formatBetween,
  formatBytes,
  formatDay,
  formatDuration,
  formatMinute,
  formatTime,
  formatTimeout,
  plural,
  shortDigest,
  shortId,
} from '../../../src/domain/format';

const DAY_MS = 86_400_000;
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham');

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [13_002_342, '12.4 MiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('the number stays below 1024 and within 5 % of the count', () => {
    const factor: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1024 ** 5 - 1 }), (bytes) => {
        const [number = '', unit = ''] = formatBytes(bytes).split(' ');
        expect(Number(number)).toBeLessThanOrEqual(1024);
        expect(Math.abs(Number(number) * factor[unit]! - bytes)).toBeLessThanOrEqual(bytes * 0.05);
      }),
    );
  });
});

describe('durations', () => {
  test.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.6, '1 s'],
    [12_400, '12 s'],
    [185_000, '3 min 5 s'],
    [3_720_000, '1 h 2 min'],
  ])('%d ms took %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('no part reaches the next unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 30 * DAY_MS, noNaN: true }), (ms) => {
        const text = formatDuration(ms);
        expect(text).toMatch(/^(?:\d{1,3} ms|\d{1,2} s|\d{1,2} min \d{1,2} s|\d+ h \d{1,2} min)$/);
        for (const [, part] of text.matchAll(/(\d+) (?:s|min)/g)) expect(Number(part)).toBeLessThan(60);
      }),
    );
  });

  test('between two times, and unknown while one is', () => {
    expect(formatBetween('2026-11-23T03:00:00.000Z', '2026-11-23T03:01:05.000Z')).toBe('1 min 5 s');
    expect(formatBetween('2026-11-23T03:00:00.000Z', null)).toBeNull();
    expect(formatBetween(undefined, '2026-11-23T03:00:00.000Z')).toBeNull();
  });

  test.each([
    [1, '1 millisecond'],
    [1500, '1500 milliseconds'],
    [1000, '1 second'],
    [90_000, '90 seconds'],
    [120_000, '2 minutes'],
    [DAY_MS, '1 day'],
    [36 * 3_600_000, '36 hours'],
  ])('a setting of %d ms is %s', (ms, text) => {
    expect(formatTimeout(ms)).toBe(text);
  });

  test.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [47 * 3_600_000, '47 h'],
    [2 * DAY_MS, '2 days'],
  ])('%d ms ago is %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  test('an age never overstates', () => {
    const size: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000, days: DAY_MS };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 * DAY_MS }), (ms) => {
        const [number = '', unit = ''] = formatAge(ms).split(' ');
        expect(Number(number) * size[unit]!).toBeLessThanOrEqual(ms);
      }),
    );
  });
});

describe('times', () => {
  const at = '2026-11-23T03:00:10.123Z';

  test('in a sentence with the zone, in a table without', () => {
    expect(formatTime(at, 'UTC')).toBe('2026-11-23 03:00:10 UTC');
    expect(formatTime(at, 'Europe/Berlin')).toBe('2026-11-23 04:00:10 CET');
    expect(formatTime('2026-07-01T03:00:10Z', 'Europe/Berlin')).toBe('2026-07-01 05:00:10 CEST');
    expect(formatMinute(at, 'America/New_York')).toBe('2026-11-22 22:00');
    expect(formatDay(at, 'America/New_York')).toBe('2026-11-22');
  });

  test('never as a raw ISO string, in any zone', () => {
    fc.assert(
      fc.property(time, zone, (date, timeZone) => {
        const iso = date.toISOString();
        expect(formatTime(iso, timeZone)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z][A-Z0-9+:-]+$/);
        expect(formatTime(iso, timeZone).startsWith(formatMinute(iso, timeZone))).toBe(true);
        expect(formatMinute(iso, timeZone).startsWith(formatDay(iso, timeZone))).toBe(true);
      }),
    );
  });

  test('the time that is shown in UTC is the time', () => {
    fc.assert(
      fc.property(time, (date) => {
        const shown = formatTime(date.toISOString(), 'UTC').replace(' UTC', 'Z').replace(' ', 'T');
        expect(Date.parse(shown)).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });
});

test('a plural for every count but one', () => {
  expect([plural(1, 'day'), plural(2, 'entry', 'entries')]).toEqual(['1 day', '2 entries']);
  fc.assert(
    fc.property(fc.nat(), (count) => {
      expect(plural(count, 'day').endsWith('s')).toBe(count !== 1);
    }),
  );
});

test('digests and IDs are shortened, not changed', () => {
  expect(shortDigest(null)).toBe('unknown digest');
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(hex, (digits) => {
      expect(`sha256:${digits}`.startsWith(shortDigest(`sha256:${digits}`))).toBe(true);
      expect(shortDigest(`sha256:${digits}`)).toHaveLength(19);
      expect(digits.startsWith(shortId(digits))).toBe(true);
    }),
  );
});
