import type { HeldMail, Rehearsal, Verdict } from '../domain/rehearsal/rehearsal';

/** Requested rehearsals and their verdicts. */
export interface Rehearsals {
  /** Queued. */
  insert(record: Pick<Rehearsal, 'updateId' | 'digest' | 'mail'> & Partial<Pick<Rehearsal, 'requestedBy'>>): Rehearsal;
  /** One that the link requested is also requested by who has the password. */
  takeOver(id: string): void;
  get(id: string): Rehearsal | null;
  /** The newest of an update; null: none was requested. */
  of(updateId: string): Rehearsal | null;
  /** The next to run: one that was interrupted, then the oldest request; null: none. */
  next(): Rehearsal | null;
  /** It runs from now on; returns how often it was started without an end, this time included. */
  begin(id: string): number;
  /** Back to the queue, since something urgent came or the engine went away; this start does not count. */
  requeue(id: string): void;
  /** Progress as text. */
  progress(id: string, detail: string): void;
  end(id: string, verdict: Verdict): Rehearsal;
  /** Those whose mail waits, oldest first. */
  withMail(): (Rehearsal & { mail: HeldMail })[];
  /** The mail is posted, or no longer needed. In the same transaction as the mail. */
  mailDone(id: string): void;
  /** The ends of rehearsals by status: for metrics. */
  countByStatus(): Record<string, number>;
}
