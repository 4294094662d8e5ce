import type { Schedule, WorkName, WorkOutcome } from '../domain/due-work';

/** What is due, and since when; times are ISO 8601. A ring is on the disk when the method returns, and stays until it is done. */
export interface Timers {
  /** Null: it was never kept nor rung. */
  get(name: WorkName): TimerState | null;
  all(): TimerState[];
  /** The schedule in force from now on; everything due until `seenUntil` counts as rung. */
  keep(name: WorkName, schedule: Schedule, seenUntil: string): void;
  /** Switched off: what was due and is not done yet is forgotten too. */
  forget(name: WorkName): void;
  /** It is due. However often it rings before it is done, it is done once. */
  ring(name: WorkName, dueAt: string): void;
  /** Rung and not done yet, longest due first. */
  due(): { name: WorkName; dueAt: string }[];
  /** Done; a ring that came meanwhile stays. */
  done(name: WorkName, dueAt: string, what: WorkOutcome): void;
}

/** One timer, as the database knows it. */
export interface TimerState {
  name: WorkName;
  /** Null: rung by events only. */
  schedule: Schedule | null;
  /** Everything due until then was rung; null: rung by events only. */
  seenUntil: string | null;
  /** Rung and not done yet: since when; null: nothing is to be done. */
  dueAt: string | null;
  /** The last time that it was done; null: never. */
  last: (WorkOutcome & { at: string }) | null;
}

/** Situations that last, so that they are reported once and not every day. */
export interface Notices {
  /** True: it is new, and its mail is to be written in the same transaction. One that is open keeps its time, with the newest words and figure. */
  open(kind: NoticeKind, subject: string, words: string, figure?: number): boolean;
  /** It is over; one that is not open is fine. */
  close(kind: NoticeKind, subject: string): void;
  /** Longest open first. */
  all(): Notice[];
}

/** What a notice is about: the last good backup too old, or much smaller than before; a network that was lost; a drill that failed; a
 * set that has backups and no longer exists; a container or image that the engine cannot describe; the disk of the engine. */
export type NoticeKind =
  'backup_old' | 'backup_shrunk' | 'network_lost' | 'drill_failed' | 'set_gone' | 'unreadable' | 'disk_nearly_full';

/** A situation that lasts. */
export interface Notice {
  kind: NoticeKind;
  /** Whom it concerns: a compose project, or a container. */
  subject: string;
  /** ISO 8601. */
  since: string;
  /** A clause for anyone to read: no path, no secret, no words of a server. */
  words: string;
  /** What was measured, for a reader who words it otherwise: of `disk_nearly_full` the free bytes. Null: nothing. */
  figure: number | null;
}

/** Problems that diun-pilot fixed automatically, shown to the operator. */
export interface Incidents {
  /** The newest two hundred are kept. */
  add(incident: Omit<Incident, 'at'>): void;
  /** Newest first. */
  recent(limit: number): Incident[];
}

/** One problem that was fixed. */
export interface Incident {
  /** ISO 8601. */
  at: string;
  /** Name of the container. */
  container: string;
  /** A sentence: what was found, and what was done. */
  words: string;
}
