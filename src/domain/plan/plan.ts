import type { Jump } from '../images/version-jump';
import type { ImageAt, UpdateKind } from '../update';
import type { NewMajor } from './postgres-major';
import type { SeenSettings } from './seen-settings';

/**
 * What an update will do, decided before anything is done. Page, mail, log and `check` print this same value; the
 * lists are sentences for a person.
 */
export interface Plan {
  /** Left out: a container. */
  kind?: UpdateKind;
  container: string;
  project: string | null;
  service: string | null;
  from: ImageAt;
  to: ImageAt;
  jump: Jump | 'downgrade' | 'other';
  /** What is backed up first, one sentence for each member of the set; empty: no container of the project carries `backup.kind`. */
  backup: string[];
  /** It carries `backup.kind`, or depends on a database of the set: its name must be typed to approve. */
  holdsData: boolean;
  /** If the old version refuses the data that the new one changed, the backup of this update is restored automatically. */
  restores: boolean;
  /** What happens, in order. */
  course: string[];
  /** What can go wrong, and what then. */
  risks: string[];
  /**
   * Those of the risks that must be read before the decision: it will be refused, loses files, or is unhealthy now.
   * Left out: there are none, or it was planned by a version that did not keep them.
   */
  warnings?: string[];
  /** What the operator must still do afterwards (a new tag: the line of the compose file). Null: nothing. */
  followUp: string | null;
  /** http(s) only. */
  releaseNotes: string | null;
  /** The update window of the container, as it is written; null or left out: there is none. */
  window?: string | null;
  /** Left out: the data directory of the running version is kept. */
  newMajor?: NewMajor;
  /** Left out: planned by a version that did not keep it. */
  seen?: SeenSettings;
}
