import type { BackupRecord } from './backups/backup';
import type { PastUpdate } from './past-update';
import type { Rehearsal } from './rehearsal/rehearsal';
import type { Release } from './notes/release-notes';

/** Facts for the decision on an update, in addition to its plan. */
export interface Surroundings {
  /** The last verified backup of the project; null: none yet. */
  lastBackup: BackupRecord | null;
  /** How long the service was away in past updates of this container, in seconds (median); null: none yet. */
  usualDowntimeSeconds: number | null;
  /** The updates that it is the median of, and those that failed, newest first; left out: not looked up. */
  past?: PastUpdate[];
  /** The release notes that were read, newest first; left out: none. */
  releases?: readonly Release[];
  /** The newest rehearsal of this update; null or left out: none was requested. */
  rehearsal?: Rehearsal | null;
}
