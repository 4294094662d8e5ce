import { parseExpression } from 'cron-parser';

/**
 * The first time after `after` at which a cron expression is due in a time zone, computed by cron-parser, which
 * node-schedule uses. When the clocks change, a skipped hour is due at the time it would have been, and a repeated hour
 * is due only the first time. Only one step forward is used: its backward steps and `hasNext` give other times there.
 * Throws for an invalid cron expression; the settings are checked for that.
 */
export function nextDue({ expression, timeZone }: { expression: string; timeZone: string }, after: Date): Date {
  return parseExpression(expression, { currentDate: after, tz: timeZone }).next().toDate();
}

/** Between two runs from `after` on, in milliseconds. */
export function intervalMs(schedule: { expression: string; timeZone: string }, after: Date): number {
  const first = nextDue(schedule, after);
  return nextDue(schedule, first).getTime() - first.getTime();
}
