import {
  alarmThreshold,
  daysLeft,
  isNotLoaded,
  nearsItsEnd,
  validity,
  verdictOn,
} from '../../../src/domain/certificates/certificate';
import { aCertificate, aSeen, NOW } from '../../support/certificate-builder';

test.each([
  [60, 60, '60 days left, valid until 2027-01-22'],
  [1.5, 1, '1 day left, valid until 2026-11-24'],
  [0.5, 0, 'less than a day left, valid until 2026-11-23'],
  [-0.5, -1, 'expired, valid until 2026-11-22'],
])('with %d days to its end it has %d whole ones left: %s', (left, whole, words) => {
  expect(daysLeft(aCertificate({ left }), NOW)).toBe(whole);
  expect(validity(aCertificate({ left }), NOW)).toBe(words);
});

test.each([
  [90, 22.5, false],
  [90, 22.4, true],
  [45, 11.3, false],
  [45, 11.2, true],
  [6, 1.6, false],
  [6, 1.4, true],
])('of %d days, %d left: near its end is %s', (lifetime, left, near) => {
  expect(nearsItsEnd(aCertificate({ left, lifetime }), NOW)).toBe(near);
});

test.each([
  [90, 30, null],
  [90, 22, 22.5],
  [90, 6.9, 7],
  [90, 2.9, 3],
  [90, 0.9, 1],
  [90, -0.1, 0],
  [90, -40, 0],
  // A quarter of six days is less than seven or three: those never count.
  [6, 5, null],
  [6, 1.4, 1.5],
  [6, 0.9, 1],
])('of %d days, %d left: the threshold that was passed last is %p', (lifetime, left, threshold) => {
  expect(alarmThreshold(aCertificate({ left, lifetime }), NOW)).toBe(threshold);
});

test('not loaded is only what is known on both sides and differs', () => {
  const other = aCertificate({ left: 20 });
  expect(isNotLoaded(aSeen())).toBe(false);
  expect(isNotLoaded(aSeen({ served: other }))).toBe(true);
  expect(isNotLoaded(aSeen({ served: null, problem: 'no answer' }))).toBe(false);
  expect(isNotLoaded(aSeen({ disk: null }))).toBe(false);
});

test('a renewal counts one day in the singular', () => {
  const disk = aCertificate({ left: 1.5 });
  const seen = [aSeen({ disk, served: disk })];
  const ends = [{ container: 'certbot', exitCode: 0, log: [] }];
  const notDue = verdictOn({ before: seen, after: seen, ends, notLoaded: [] }, NOW);
  expect(notDue.detail).toMatch(/ has 1 day left\.$/);
  const renewed = verdictOn({ before: [], after: seen, ends, notLoaded: [] }, NOW);
  expect(renewed.detail).toMatch(/, 1 day\)\.$/);
});
