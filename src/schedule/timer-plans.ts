import type { Settings } from '../config/schema';
import { isTimerName, type Schedule, type TimerName, type WorkName, type WorkOutcome } from '../domain/due-work';
import { nextDue } from '../lib/due-times';
import type { Timers } from '../ports/timers';

export interface TimerPlan {
  name: WorkName;
  /** Null: switched off. */
  schedule: Schedule | null;
  /** Due at every start as well, whatever was missed. */
  atEveryStart: boolean;
}

/** Of an hour in which little else is due. */
const BACKUP_AGES = '17 * * * *';
/** Once a week, after what else Sunday morning brings: backups, Diun, renewals, reconcile. */
const DRILL = '0 5 * * 0';

/** The timers that the settings ask for. */
export function timerPlans({
  schedules,
  mailDigest,
  timeZone,
}: Pick<Settings, 'schedules' | 'mailDigest' | 'timeZone'>): TimerPlan[] {
  const plan = (name: WorkName, expression: string | null, atEveryStart = false): TimerPlan => ({
    name,
    schedule: expression === null ? null : { expression, timeZone },
    atEveryStart,
  });
  return [
    plan('backup', schedules.backup),
    plan('renewal', schedules.renewal),
    plan('reconcile', schedules.reconcile, true),
    plan('backup-ages', schedules.backup === null ? null : BACKUP_AGES, true),
    plan('drill', schedules.backup === null ? null : DRILL),
    plan('digest', mailDigest),
  ];
}

/** One timer as people see it: when it runs next (ISO 8601; null: switched off), and what came of the last run. */
export interface TimerView {
  name: TimerName;
  nextAt: string | null;
  last: (WorkOutcome & { at: string }) | null;
}

export function viewTimers(plans: readonly TimerPlan[], timers: Pick<Timers, 'get'>, now: Date): TimerView[] {
  return plans.flatMap(({ name, schedule }) => {
    if (!isTimerName(name) || (name === 'digest' && schedule === null)) return [];
    const nextAt = schedule === null ? null : nextDue(schedule, now).toISOString();
    return [{ name, nextAt, last: timers.get(name)?.last ?? null }];
  });
}
