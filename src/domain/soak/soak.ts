import type { BackupRecord } from '../backups/backup';

/** The data on which the old version runs after a rollback that the operator chose. */
export type SoakData = 'current' | 'backup';

/** Whether the new version changed the schema of the databases of its set. `unknown`: there is none, or it could not be read. */
export type SchemaSeen = 'unchanged' | 'changed' | 'unknown';

/**
 * `watching`: the new container is observed. `deciding`: it failed, and the operator has a link. `chosen`: the operator chose the
 * old version. `rolling_back`: the update is being rolled back. `ended`: nothing is left to do.
 */
export type SoakStatus = 'watching' | 'deciding' | 'chosen' | 'rolling_back' | 'ended';

/** The time after a successful update in which its new container is watched and the old one is kept (`update.soak`). */
export interface Soak {
  updateId: string;
  /** The name that the new container has. */
  container: string;
  containerId: string;
  oldContainerId: string;
  status: SoakStatus;
  startedAt: string;
  /** ISO 8601, as all times. */
  until: string;
  /** Not looked at before. */
  lookAt: string;
  /** `RestartCount` of the new container that is not held against it. */
  restarts: number;
  holdsData: boolean;
  /** Why the new version failed, as a sentence; null: it did not. */
  failure: string | null;
  failedAt: string | null;
  /** What the comparison with the databases from before the update gave; null: none was made. */
  schema: SchemaSeen | null;
  schemaDetail: string | null;
  /** Until when the link of the mail is valid, and the old container is kept. */
  decideUntil: string | null;
  choice: SoakData | null;
  /** How it ended, as a sentence. */
  outcome: string | null;
}

const MOST_BETWEEN_LOOKS_MS = 10_000;
const LEAST_BETWEEN_LOOKS_MS = 1_000;

/** Often enough for a soak of seconds, and not more often than a person would look in one of hours. */
export function lookEveryMs({ startedAt, until }: Pick<Soak, 'startedAt' | 'until'>): number {
  const tenth = (Date.parse(until) - Date.parse(startedAt)) / 10;
  return Math.min(Math.max(tenth, LEAST_BETWEEN_LOOKS_MS), MOST_BETWEEN_LOOKS_MS);
}

/** The data that mail and page offer, the recommended one first. */
export function offeredData({ schema }: Pick<Soak, 'schema'>, backup: BackupRecord | null): SoakData[] {
  if (schema === 'unchanged') return ['current'];
  const restored: SoakData[] = canBeRestored(backup) ? ['backup'] : [];
  return schema === 'changed' ? restored : [...restored, 'current'];
}

function canBeRestored(backup: BackupRecord | null): boolean {
  return backup?.status === 'succeeded' && backup.items.length > 0 && backup.pruned === null;
}
