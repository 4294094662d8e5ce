import { timerPlans } from '../../../src/schedule/timers';

const plansOf = (backup: string | null) =>
  timerPlans({ schedules: { backup, renewal: null, reconcile: null }, mailDigest: null, timeZone: 'Europe/Berlin' });
const drillOf = (backup: string | null) => plansOf(backup).find(({ name }) => name === 'drill')?.schedule;

test('what runs is compared with the registry at each start too, unless that is switched off', () => {
  const reconcile = (expression: string | null) =>
    timerPlans({
      schedules: { backup: null, renewal: null, reconcile: expression },
      mailDigest: null,
      timeZone: 'UTC',
    }).find(({ name }) => name === 'reconcile');
  expect(reconcile('0 4 * * *')?.atEveryStart).toBe(true);
  expect(reconcile(null)?.schedule).toBeNull();
});

test('restore drills are due on Sunday at five where backups are scheduled, and never where they are not', () => {
  expect(drillOf('0 2 * * *')).toEqual({ expression: '0 5 * * 0', timeZone: 'Europe/Berlin' });
  expect(drillOf(null)).toBeNull();
});

test('the disk of the engine is looked at each hour and at each start, whatever else is switched off', () => {
  expect(plansOf(null).find(({ name }) => name === 'disk')).toMatchObject({
    schedule: { expression: '47 * * * *' },
    atEveryStart: true,
  });
});
