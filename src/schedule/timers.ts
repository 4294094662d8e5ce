import { type Job, scheduleJob } from 'node-schedule';
import type { Settings } from '../config/schema';
import { isTimerName, type Schedule, type TimerName, type WorkName, type WorkOutcome } from '../domain/due-work';
import { messageOf } from '../domain/errors';
import type { Clock } from '../lib/clock';
import { nextDue } from '../lib/due-times';
import type { Logger } from '../lib/logger';
import type { Store } from '../ports/store';
import type { Timers, TimerState } from '../ports/timers';

export interface TimerPlan {
  name: WorkName;
  /** Null: switched off. */
  schedule: Schedule | null;
  /** Due at every start as well, whatever was missed. */
  atEveryStart: boolean;
}

/** Of an hour in which little else is due. */
const BACKUP_AGES = '17 * * * *';
/** Of an hour as well: an operator who has made room sees it within the hour. */
const DISK = '47 * * * *';
const OLD_RECORDS = '27 4 * * *';
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
    plan('backup-ages', BACKUP_AGES, true),
    plan('disk', DISK, true),
    plan('old-records', OLD_RECORDS, true),
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

export interface RunningTimers {
  stop(): void;
}

interface Parts {
  store: Pick<Store, 'clockWasAhead' | 'timers' | 'transaction'>;
  clock: Clock;
  logger: Logger;
  plans: readonly TimerPlan[];
  /** Something is due: the worker is to look. */
  wake(): void;
  arm?: Arm;
}

/** A machine that slept, or whose clock was set, is noticed after this time at the latest. */
const LOOK_AGAIN_MS = 60 * 60_000;
const AFTER_TROUBLE_MS = 60_000;

/**
 * Rings what is due, now and from now on, and does nothing else: what is rung is on the disk, and the worker does it
 * when it holds the lock. What was due while the service was down rings at once, and once, however often it was due.
 */
export function runTimers(parts: Parts): RunningTimers {
  const armed = new Map<string, () => void>();
  const arm = parts.arm ?? armWithNodeSchedule;
  const look = (plan: TimerPlan, schedule: Schedule): void => {
    const at = lookOnce(parts, plan, schedule);
    armed.set(
      plan.name,
      arm(at, () => look(plan, schedule)),
    );
  };
  for (const plan of parts.plans) {
    startTimer(parts, plan);
    if (plan.schedule !== null) look(plan, plan.schedule);
  }
  parts.wake();
  return {
    stop: () => {
      for (const cancel of armed.values()) cancel();
    },
  };
}

/** At start: what was missed is what the schedule would have rung that was in force until now. */
function startTimer(parts: Parts, { name, schedule, atEveryStart }: TimerPlan): void {
  const { store, clock, logger } = parts;
  if (schedule === null) return store.timers.forget(name);
  const now = clock.now();
  const before = store.timers.get(name);
  const missed = missedOf(before, now);
  const goesOn = missed === null && isSameSchedule(before?.schedule ?? null, schedule);
  const seen = seenBy(parts, before, now);
  const seenUntil = goesOn ? seen : now;
  store.transaction(() => {
    store.timers.keep(name, schedule, seenUntil.toISOString());
    if (missed !== null) store.timers.ring(name, missed.toISOString());
    else if (atEveryStart) store.timers.ring(name, now.toISOString());
  });
  if (missed !== null) logger.info('was due while diun-pilot was down', { timer: name, dueAt: missed.toISOString() });
}

function missedOf(before: TimerState | null, now: Date): Date | null {
  if (!before?.schedule || before.seenUntil === null) return null;
  const due = nextDue(before.schedule, new Date(before.seenUntil));
  return due <= now ? due : null;
}

/** Clocks are slewed by less. */
const AHEAD_MS = 60_000;

/** Until when everything due was rung. A clock that was ahead is corrected: nothing that is still to come was rung. */
function seenBy({ store, logger }: Parts, state: TimerState | null, now: Date): Date {
  const seenUntil = new Date(state?.seenUntil ?? now);
  if (seenUntil <= now) return seenUntil;
  if (seenUntil.getTime() - now.getTime() > AHEAD_MS) {
    logger.warn('the clock was ahead and is set back: short waits end now', { timer: state?.name });
    store.clockWasAhead();
  }
  return now;
}

function isSameSchedule(one: Schedule | null, other: Schedule): boolean {
  return one?.expression === other.expression && one.timeZone === other.timeZone;
}

/** Fires if it is due, and returns when to check again. */
function lookOnce(parts: Parts, { name }: TimerPlan, schedule: Schedule): Date {
  const { store, clock, logger } = parts;
  const now = clock.now();
  try {
    const seenUntil = seenBy(parts, store.timers.get(name), now);
    const due = nextDue(schedule, seenUntil);
    if (due > now) {
      store.timers.keep(name, schedule, seenUntil.toISOString());
      return earlier(due, now);
    }
    store.transaction(() => {
      store.timers.keep(name, schedule, now.toISOString());
      store.timers.ring(name, due.toISOString());
    });
    logger.info('timer is due', { timer: name, dueAt: due.toISOString() });
    parts.wake();
    return earlier(nextDue(schedule, now), now);
  } catch (error) {
    logger.error('a timer could not be checked: retried in a minute', { timer: name, reason: messageOf(error) });
    return new Date(now.getTime() + AFTER_TROUBLE_MS);
  }
}

function earlier(due: Date, now: Date): Date {
  return new Date(Math.min(due.getTime(), now.getTime() + LOOK_AGAIN_MS));
}

/** Calls `fire` once, at that time or as soon after as can be; what it returns calls it off. */
type Arm = (at: Date, fire: () => void) => () => void;

/** By node-schedule, which also waits for longer than a timer of Node can. */
export const armWithNodeSchedule: Arm = (at, fire) => {
  // Null, whatever its types say, for a time that has just passed.
  const job = scheduleJob(at, fire) as Job | null;
  if (job !== null) return () => void job.cancel();
  const passed = setImmediate(fire);
  return () => clearImmediate(passed);
};
