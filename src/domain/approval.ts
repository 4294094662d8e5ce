import type { BackupRecord } from './backup';

/** Facts for the decision on an update, in addition to its plan. */
export interface Surroundings {
  /** The last verified backup of the project; null: none yet. */
  lastBackup: BackupRecord | null;
  /** How long the service was away in past updates of this container, in seconds (median); null: none yet. */
  usualDowntimeSeconds: number | null;
}
