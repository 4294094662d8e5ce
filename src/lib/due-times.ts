import { Cron } from 'croner';

/**
 * The first time after `after` at which a cron expression is due in a time zone. When the clocks change (docs/adr/0002): a time
 * of day that is skipped is due when the clock jumps, one that is repeated is due only the first time, and an hourly or
 * shorter interval goes on. Throws for an invalid expression, and for one without a next time; the settings are checked for both.
 */
export function nextDue({ expression, timeZone }: { expression: string; timeZone: string }, after: Date): Date {
  const due = new Cron(expression, { timezone: timeZone, paused: true }).nextRun(after);
  if (due === null) throw new Error(`The cron expression ${expression} names no time.`);
  return due;
}

/** Between two runs from `after` on, in milliseconds. */
export function intervalMs(schedule: { expression: string; timeZone: string }, after: Date): number {
  const first = nextDue(schedule, after);
  return nextDue(schedule, first).getTime() - first.getTime();
}
