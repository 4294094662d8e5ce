import { nextDue } from '../lib/due-times';

/** The problem of a cron expression as text; null when it has a next time. */
export function whyCronIsInvalid(expression: string): string | null {
  const problem = 'must be off or a cron expression of five fields such as 30 3 * * 0';
  const fields = expression.trim().split(/\s+/);
  // The parser takes a year, and names such as @daily, too: neither is documented.
  if (fields.length < 5 || fields.length > 6 || !fields.every((field) => /^[\d*,/\-a-z?]+$/i.test(field)))
    return problem;
  try {
    nextDue({ expression, timeZone: 'UTC' }, new Date(0));
    return null;
  } catch {
    return problem;
  }
}
