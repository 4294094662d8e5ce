/** Timers that an operator knows: four have a setting, the drill has a fixed time. */
const TIMER_NAMES = ['backup', 'renewal', 'reconcile', 'drill', 'digest'] as const;

/** As `/health`, the page and the settings name it. */
export type TimerName = (typeof TIMER_NAMES)[number];

/**
 * Work that becomes due by time or by an event, and is kept until it is done. `backup-ages`: looks whether the last good
 * backups are too old. `disk`: looks whether the disk of the engine is nearly full. `retention`: removes expired backups, due after a verified one. `reoffer`: offers an update again
 * that is pending approval and was decided for a container that has changed. `old-images`: removes images beyond
 * `update.keep-images`, due after a successful update. `leftovers`: lists and removes the containers that moved or read files for work
 * which has ended, due after a restore and after an update that had some. `old-records`: removes old notifications and mails from the
 * database.
 */
export type WorkName =
  TimerName | 'backup-ages' | 'disk' | 'retention' | 'reoffer' | 'old-images' | 'leftovers' | 'old-records';

/** Whether a name is that of a timer, and not of work that events make due. */
export function isTimerName(name: string): name is TimerName {
  return TIMER_NAMES.some((known) => known === name);
}

/** A cron expression in a time zone (IANA name). */
export interface Schedule {
  expression: string;
  timeZone: string;
}

/** Its result as text: `outcome` for the operator; `trouble` is public, as in `/health`, null when all went well. */
export interface WorkOutcome {
  outcome: string;
  trouble: string | null;
}
