import { DAY_MS, plural } from '../format';
import { byCodeUnits } from '../text/compare';
/** How many backups of each kind are kept (`PILOT_BACKUP_RETENTION`). */
export interface Retention {
  daily: number;
  weekly: number;
  monthly: number;
}

/** One good backup of one set. */
export interface KeepCandidate {
  id: string;
  /** ISO 8601. */
  takenAt: string;
  /** Why it must stay whatever its age, as text; null: it is not needed. */
  neededFor: string | null;
}

/** What becomes of one backup, with all reasons to keep it, or the reason why it is no longer kept. */
export interface Fate {
  id: string;
  kept: boolean;
  reasons: string[];
}

/**
 * Decides which backups of one set are kept: as in restic's policy (snapshot_policy.go), the newest of each of the last
 * days, weeks (from Monday) and months that have one, counted from the newest backup and not from today, so that a host
 * which was off for a year loses nothing. The newest is kept whatever the numbers say: everything is never removed. Newest first.
 */
export function judgeRetention(candidates: readonly KeepCandidate[], keep: Retention, timeZone: string): Fate[] {
  const dayOf = dayIn(timeZone);
  const rules = [
    rule('daily', keep.daily, (day) => day),
    rule('weekly', keep.weekly, (day) => `the week of ${mondayOf(day)}`),
    rule('monthly', keep.monthly, (day) => day.slice(0, 'YYYY-MM'.length)),
  ];
  const newestFirst = [...candidates].sort((a, b) => byCodeUnits(b.takenAt, a.takenAt) || byCodeUnits(b.id, a.id));
  return newestFirst.map(({ id, takenAt, neededFor }, index) => {
    const day = dayOf(takenAt);
    const reasons = [
      ...(index === 0 ? ['the newest good one'] : []),
      ...(neededFor === null ? [] : [neededFor]),
      ...rules.flatMap((ask) => ask(day)),
    ];
    return reasons.length > 0 ? { id, kept: true, reasons } : { id, kept: false, reasons: [whyNot(day, keep)] };
  });
}

/** Asked newest first: whether this backup is the newest of a period that is still kept. */
function rule(name: string, most: number, periodOf: (day: string) => string): (day: string) => string[] {
  let kept = 0;
  let last: string | null = null;
  return (day) => {
    const period = periodOf(day);
    if (period === last || kept === most) return [];
    last = period;
    kept += 1;
    return [`the newest of ${period} (${name} ${kept} of ${most})`];
  };
}

function whyNot(day: string, { daily, weekly, monthly }: Retention): string {
  const [days, weeks, months] = [plural(daily, 'day'), plural(weekly, 'week'), plural(monthly, 'month')];
  return `it is of ${day}, and retention keeps the newest of each of the last ${days}, ${weeks} and ${months} that have a backup`;
}

function dayIn(timeZone: string): (time: string) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return (time) => format.format(new Date(time));
}

function mondayOf(day: string): string {
  const time = Date.parse(`${day}T00:00:00Z`);
  const sinceMonday = (new Date(time).getUTCDay() + 6) % 7;
  return new Date(time - sinceMonday * DAY_MS).toISOString().slice(0, day.length);
}
