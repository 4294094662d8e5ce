/** Timers that an operator knows: four have a setting, the drill has a fixed time. */
const TIMER_NAMES = ['backup', 'renewal', 'reconcile', 'drill', 'digest'] as const;

/** As `/health`, the page and the settings name it. */
export type TimerName = (typeof TIMER_NAMES)[number];

/**
 * Work that becomes due by time or by an event, and is kept until it is done. `backup-ages`: looks whether the last good
 * backups are too old. `retention`: removes what is kept no longer, due after a verified backup. `reoffer`: offers again
 * what waits for approval and was decided from what does not run any more.
 */
export type WorkName = TimerName | 'backup-ages' | 'retention' | 'reoffer';

/** Whether a name is that of a timer, and not of work that events make due. */
export function isTimerName(name: string): name is TimerName {
  return TIMER_NAMES.some((known) => known === name);
}

/** A cron expression in a time zone (IANA name). */
export interface Schedule {
  expression: string;
  timeZone: string;
}

/** What came of doing it, in words: `outcome` for the operator; `trouble` for anyone, as `/health` tells it, null when all went well. */
export interface WorkOutcome {
  outcome: string;
  trouble: string | null;
}
