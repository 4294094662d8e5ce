import { Job } from 'node-schedule';

/** The problem of a cron expression as text; null when node-schedule, which will run it, finds a next time. */
export function whyCronIsInvalid(expression: string): string | null {
  const problem = 'must be off or a cron expression of five fields such as 30 3 * * 0';
  const fields = expression.trim().split(/\s+/);
  // node-schedule takes fewer fields, and dates, too: neither is what a person means here.
  if (fields.length < 5 || fields.length > 6 || !fields.every((field) => /^[\d*,/\-a-z?]+$/i.test(field)))
    return problem;
  const job = new Job('check of a setting', () => undefined);
  try {
    return job.schedule({ rule: expression, tz: 'UTC' }) ? null : problem;
  } finally {
    job.cancel();
  }
}
