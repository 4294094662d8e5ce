import type { BackupRecord } from './backups/backup';
import type { Release } from './notes/release-notes';

/** Facts for the decision on an update, in addition to its plan. */
export interface Surroundings {
  /** The last verified backup of the project; null: none yet. */
  lastBackup: BackupRecord | null;
  /** How long the service was away in past updates of this container, in seconds (median); null: none yet. */
  usualDowntimeSeconds: number | null;
  /** The release notes that were read, newest first; left out: none. */
  releases?: readonly Release[];
}
