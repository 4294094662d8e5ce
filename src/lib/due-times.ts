import { parseExpression } from 'cron-parser';

/**
 * The first time after `after` at which a cron expression is due in a time zone, as cron-parser tells it, which node-schedule
 * runs on. Where the clocks change, an hour that is left out is due when it would have been, counted on, and an hour that
 * comes twice is due the first time only. Asked forwards and once: its way back, and `hasNext`, tell other times there.
 * Throws for what is no cron expression; the settings are checked for that.
 */
export function nextDue({ expression, timeZone }: { expression: string; timeZone: string }, after: Date): Date {
  return parseExpression(expression, { currentDate: after, tz: timeZone }).next().toDate();
}

/** Between two runs from `after` on, in milliseconds. */
export function intervalMs(schedule: { expression: string; timeZone: string }, after: Date): number {
  const first = nextDue(schedule, after);
  return nextDue(schedule, first).getTime() - first.getTime();
}
