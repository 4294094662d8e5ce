import type { BackupRecord } from '../backups/backup';
import type { ContainerInspect } from '../engine-inspect';
import { plural } from '../format';
import { restartsAlways } from '../recreate/own-config';

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

/** Whether a look is due: also at once when the soak or its link has come to its end. */
export function isLookDue({ status, lookAt, until, decideUntil }: Soak, now: string): boolean {
  const end = status === 'watching' ? until : status === 'deciding' ? decideUntil : null;
  return now >= lookAt || (end !== null && now >= end);
}

/**
 * The data that mail and page offer, the recommended one first. `changesSet`: the new version may have changed data of the set.
 * Of any other container the backup holds nothing: to restore it would only take back what the rest of the project has written.
 * `changedByOthers`: another update changed the set since, which a restore would take back under its new version.
 */
export function offeredData(
  soak: Pick<Soak, 'updateId' | 'schema'>,
  backup: BackupRecord | null,
  { changesSet, changedByOthers }: { changesSet: boolean; changedByOthers: boolean },
): SoakData[] {
  if (soak.schema === 'unchanged') return ['current'];
  const restored: SoakData[] = canBeRestored(soak, backup) ? ['backup'] : [];
  if (soak.schema === 'changed') return restored;
  if (!changesSet) return ['current'];
  return changedByOthers ? ['current', ...restored] : [...restored, 'current'];
}

/** One that the update used again is older than it. */
function canBeRestored({ updateId }: Pick<Soak, 'updateId'>, backup: BackupRecord | null): boolean {
  return (
    backup?.status === 'succeeded' && backup.updateId === updateId && backup.items.length > 0 && backup.pruned === null
  );
}

/**
 * `failed`: the new version does not work. `stopped`: it may have been stopped on request, or with the engine, and only the
 * operator knows. `left`: it was stopped or paused by a person, who is not contradicted. `runs`: its probe may be asked.
 */
export type SoakSight = { state: 'failed' | 'stopped'; why: string } | { state: 'left' | 'runs' };

/** The codes of a process that ended because it was asked to. */
const ENDED_ON_REQUEST = [0, 137, 143];

/** What Docker alone says of a container in its soak. Pure. `restartsBefore`: those that are not held against it. */
export function judgeSoak({ State, HostConfig, RestartCount }: ContainerInspect, restartsBefore: number): SoakSight {
  if (RestartCount > restartsBefore)
    return { state: 'failed', why: `it exited and was restarted ${plural(RestartCount - restartsBefore, 'time')}` };
  if (State.Status === 'restarting')
    return { state: 'failed', why: `it exited with code ${State.ExitCode} and restarts` };
  if (State.Status === 'paused') return { state: 'left' };
  if (State.Running) {
    const { Status, Log } = State.Health ?? {};
    if (Status !== 'unhealthy') return { state: 'runs' };
    const last = Log?.at(-1)?.Output.trim().slice(0, 300);
    return { state: 'failed', why: `its HEALTHCHECK fails${last ? `: ${last}` : ''}` };
  }
  if (State.OOMKilled) return { state: 'failed', why: 'it was killed because it ran out of memory' };
  if (State.Error !== '') return { state: 'failed', why: `it did not start (${State.Error})` };
  // The engine would have started it again, unless it was stopped by a person.
  if (restartsAlways(HostConfig.RestartPolicy)) return { state: 'left' };
  const why = `it exited with code ${State.ExitCode}`;
  return { state: ENDED_ON_REQUEST.includes(State.ExitCode) ? 'stopped' : 'failed', why };
}
