import fc from 'fast-check';
import { judgeRetention, type KeepCandidate, type Retention } from '../../../src/domain/backups/retention';

const DEFAULT: Retention = { daily: 7, weekly: 4, monthly: 6 };
const DAY = 86_400_000;

const taken = (takenAt: string, neededFor: string | null = null): KeepCandidate => ({
  id: takenAt,
  takenAt,
  neededFor,
});
/** One at 02:00 UTC of each of `days` days, the newest on the 30th of November 2026, a Monday. */
const daily = (days: number): KeepCandidate[] =>
  Array.from({ length: days }, (_, back) =>
    taken(new Date(Date.parse('2026-11-30T02:00:00Z') - back * DAY).toISOString()),
  );
const keptDays = (candidates: KeepCandidate[], keep = DEFAULT, timeZone = 'UTC'): string[] =>
  judgeRetention(candidates, keep, timeZone)
    .filter(({ kept }) => kept)
    .map(({ id }) => id.slice(0, 10));

test('keeps the newest of seven days, four weeks and six months', () => {
  expect(keptDays(daily(300))).toEqual([
    '2026-11-30',
    '2026-11-29',
    '2026-11-28',
    '2026-11-27',
    '2026-11-26',
    '2026-11-25',
    '2026-11-24',
    '2026-11-22', // the third week; the second is that of the 29th
    '2026-11-15',
    '2026-10-31',
    '2026-09-30',
    '2026-08-31',
    '2026-07-31',
    '2026-06-30',
  ]);
});

test('gives every reason to keep one, and the reason why one is no longer kept', () => {
  const fates = judgeRetention(daily(10), DEFAULT, 'UTC');
  expect(fates[0]).toEqual({
    id: '2026-11-30T02:00:00.000Z',
    kept: true,
    reasons: [
      'the newest good one',
      'the newest of 2026-11-30 (daily 1 of 7)',
      'the newest of the week of 2026-11-30 (weekly 1 of 4)',
      'the newest of 2026-11 (monthly 1 of 6)',
    ],
  });
  expect(fates.at(-1)).toEqual({
    id: '2026-11-21T02:00:00.000Z',
    kept: false,
    reasons: [
      expect.stringMatching(
        /^it is of 2026-11-21, and retention keeps the newest of each of the last 7 days, 4 weeks and 6 months/,
      ),
    ],
  });
});

test('of one day only the newest is kept, and what is needed', () => {
  const day = ['2026-11-30T01:00:00Z', '2026-11-30T02:00:00Z', '2026-11-30T05:00:00Z'].map((time) => taken(time));
  day.push(taken('2026-11-30T00:00:00Z', 'its update has not ended'));
  const kept = judgeRetention(day, DEFAULT, 'UTC').filter((fate) => fate.kept);
  expect(kept.map(({ id, reasons }) => [id, reasons[0]])).toEqual([
    ['2026-11-30T05:00:00Z', 'the newest good one'],
    ['2026-11-30T00:00:00Z', 'its update has not ended'],
  ]);
});

test('a day is one of the time zone, a week begins on Monday', () => {
  const two = [taken('2026-11-29T22:30:00Z'), taken('2026-11-29T23:30:00Z')]; // 23:30 on Sunday, 00:30 on Monday in Berlin
  expect(keptDays(two, { daily: 7, weekly: 0, monthly: 0 }, 'Europe/Berlin')).toHaveLength(2);
  expect(keptDays(two, { daily: 7, weekly: 0, monthly: 0 }, 'UTC')).toHaveLength(1);
  expect(keptDays(two, { daily: 0, weekly: 2, monthly: 0 }, 'Europe/Berlin')).toHaveLength(2);
});

test('counts days that have a backup: after a year without one nothing is lost', () => {
  const old = daily(3).map(({ takenAt }) => taken(new Date(Date.parse(takenAt) - 365 * DAY).toISOString()));
  expect(keptDays([...daily(1), ...old])).toHaveLength(4);
});

test('the newest stays even when nothing is to be kept', () => {
  expect(keptDays(daily(5), { daily: 0, weekly: 0, monthly: 0 })).toEqual(['2026-11-30']);
});

describe('whatever there is', () => {
  const number = fc.nat(8);
  const keep = fc.record({ daily: number, weekly: number, monthly: number });
  const time = fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true });
  const candidates = fc.array(fc.tuple(time, fc.boolean()), { minLength: 1, maxLength: 60 }).map((all) =>
    all.map(([at, needed], index) => ({
      id: `${index}`,
      takenAt: at.toISOString(),
      neededFor: needed ? 'needed' : null,
    })),
  );
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Pacific/Auckland');
  const ids = (fates: { id: string; kept: boolean }[]): string[] =>
    fates.filter(({ kept }) => kept).map(({ id }) => id);

  test('every backup is judged once and with a reason; the newest and the needed ones stay; no more than asked for besides', () => {
    fc.assert(
      fc.property(candidates, keep, zone, (all, rules, timeZone) => {
        const fates = judgeRetention(all, rules, timeZone);
        expect(fates.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
        expect(fates.every(({ reasons }) => reasons.length > 0)).toBe(true);
        expect(fates[0]?.kept).toBe(true);
        const needed = all.filter(({ neededFor }) => neededFor !== null).map(({ id }) => id);
        expect(ids(fates)).toEqual(expect.arrayContaining(needed));
        const besides = ids(fates).filter((id) => !needed.includes(id));
        expect(besides.length).toBeLessThanOrEqual(rules.daily + rules.weekly + rules.monthly + 1);
      }),
    );
  });

  test('the order in which they are given does not matter, and pruning twice removes nothing more', () => {
    fc.assert(
      fc.property(candidates, keep, zone, (all, rules, timeZone) => {
        const kept = ids(judgeRetention(all, rules, timeZone));
        expect(ids(judgeRetention([...all].reverse(), rules, timeZone))).toEqual(kept);
        const left = all.filter(({ id }) => kept.includes(id));
        expect(ids(judgeRetention(left, rules, timeZone))).toEqual(kept);
      }),
    );
  });
});
