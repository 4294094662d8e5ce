import { posix } from 'node:path';
import type { ServerState } from './data/server-state';
import type { DataChange, DataFingerprint } from './data/data-fingerprint';
import type { ContainerInspect } from './engine-inspect';
import type { HealthFailure, Stopped, Writer } from './health/health-failure';
import type { Neighbourhood } from './health/neighbour';
import { newReferenceFor } from './images/image-reference';
import type { RanBefore, RestoreJournal } from './backups/restore';
import type { OwnStop, Update } from './update';
import type { RolloutStage } from './services/rollout';
import type { SoakData } from './soak/soak';
import { artifactFolder } from './backups/restore-artifact-names';

/**
 * How far a run has come, written before each act, so that a run can be resumed after a crash from its stage:
 * every act is addressed by id and may be done twice.
 * `preparing`: the old container is untouched, and serves or was stopped for the backup. `moving`: a new PostgreSQL major, whose
 * server is stopped while its data directory and a new, empty one change places. `swapping`: names are being
 * exchanged, the old one stopped (not in a handover), the new one started. `loading`: the new server gets the
 * roles and databases of the old one. `checking`: the new one runs, its health is
 * being checked (in a handover first next to the old one, which then drains). `settled`: it is healthy, the old one is to be
 * removed. `rolling_back`: the old one is to run again; the update's error says why. `restoring`: the old one does
 * not serve with the data as it is now, so that of this update's backup takes its place.
 */
export type Stage =
  'preparing' | 'moving' | 'swapping' | 'loading' | 'checking' | 'settled' | 'rolling_back' | 'restoring';

/** What a run must know to go on, or to be undone, whatever happened in between. */
export interface Journal {
  stage: Stage;
  /** How often preparing was started by a new process: a run that stops the service repeatedly is aborted. */
  attempt: number;
  /** How often the run failed unexpectedly past the swap, and was left to a rollback; not there: never. */
  aborted?: number;
  /** The engine went away, and this process saw it: a restart of the run then does not count as an attempt. */
  engineLost?: boolean;
  /** The untouched old container: addressed by id, whatever its name is by now. */
  oldContainerId: string;
  containerName: string;
  oldImageId: string;
  /** Whether it ran when the update started: it must run again, also where the engine went down and its policy is `no`. */
  ran?: boolean;
  /** The old container as it was when the update started, to create it again should another process remove it. Not kept past the end. */
  snapshot?: ContainerInspect;
  /** Its platform (`linux/386`), where the engine would select another; not there: it would not, or that has not been read yet. */
  platform?: string;
  /** Files of its own layer: what Compose copied in, by path, and how many the application wrote; not there: not read yet. */
  layer?: { copied: string[]; lost: number };
  /** The reference that the old container was created by (`Config.Image`). */
  oldReference: string;
  newReference: string;
  /** Whether `newReference` was made to name the new image, so that it must be put back. */
  tagMoved: boolean;
  /** Image id that `newReference` named on this engine before; null: the tag did not exist here. */
  newReferenceWas: string | null;
  newImageId: string | null;
  newContainerId: string | null;
  /** Whether the old container may have been stopped: after a handover that failed early it never was. */
  oldStopped: boolean;
  /**
   * Whether old and new one run at once (domain/handover). Decided once: an old container that was stopped meanwhile shows less,
   * such as no MAC address. Not there: an older release began the update.
   */
  handsOver?: boolean;
  /** A handover: the new container was healthy before the old one was stopped. */
  handedOver?: boolean;
  /** What is being written into the compose project for a new tag, as text; there once that begins. */
  tagNote?: string;
  /** Names of containers that depend on this one and ran before it. */
  dependents: string[];
  /** What is next to it, as it was before anything was stopped; not there: it has not been read yet. */
  neighbourhood?: Neighbourhood;
  /** It failed its own health check before anything was done; not there: it passed. */
  unhealthyBefore?: HealthFailure;
  /** Those of the writers that failed their own health check before any was stopped, by id; not there: it has not been asked yet. */
  failing?: Record<string, HealthFailure>;
  /** Who was stopped for the backup, in the order in which they are started again; written down before it is done. */
  stopped: Stopped[];
  /** When that began, ISO 8601; not there: it did not, or an older version did not note it. */
  stoppedAt?: string;
  /** All that are known to write to the set, also those that did not run; not there: they have not been stopped, or by an older release. */
  writers?: Writer[];
  /** Database servers of the set that ran at the backup: they run again, wherever the engine goes down and leaves them so. */
  servers?: RanBefore[];
  /** Whether they run again next to the new container, or one was started externally: data written from then on is in no backup. */
  released: boolean;
  /** What the update can change in the databases of its set, read after the backup; not there: it can change none. */
  fingerprint?: DataFingerprint;
  /** What differed from it when the new version was healthy, or when it was rolled back. */
  dataChange?: DataChange & { seenIn: Stage };
  /** Decided in the rollback: the new version changed the data, and it is restored before anything runs on it. */
  dataGoesBack?: boolean;
  /** Why the old container could not be removed after success, as text. */
  cleanUpFailure?: string;
  /** The old container is kept and the new one is watched after success (`update.soak`); not there: it is not. */
  soak?: SoakPlan;
  /** Another process removed, renamed or stopped its containers: whether one could be started; not there: one ran all the time. */
  broughtBack?: 'started' | 'none runs';
  /** How far the restore after the rollback has come; null: there is none. */
  restore: RestoreJournal | null;
  /** Of a new PostgreSQL major; not there: it is none. */
  major?: MajorJournal;
}

/** What the change to a new PostgreSQL major needs to go on, or back. */
export interface MajorJournal {
  from: number;
  to: number;
  /** PGDATA, the same for both. */
  directory: string;
  /** In the names of what is made in the volume. */
  mark: string;
  /** Image id with a shell, which moves the data. */
  shell: string;
  /** The old server after those that write to it were stopped; not there: it has not been read yet. */
  before?: ServerState;
  /** From now on the two data directories may have changed places; false again once the old one is back. */
  moved: boolean;
  /** Roles and databases are loaded and compared. */
  loaded?: boolean;
  /** How often the load was started: one that takes diun-pilot down repeatedly is rolled back. */
  loads: number;
}

/** What the soak of an update needs to start; and, once the update is rolled back for its soak, why. */
export interface SoakPlan {
  ms: number;
  holdsData: boolean;
  /** Whether the set of its project has the data that it may change; not there: a release that did not note it. */
  changesSet?: boolean;
  /** `RestartCount` of the new container when it was found healthy. */
  restarts: number;
  /** There once it is rolled back. `data`: what the operator chose; null: it is rolled back automatically. */
  failed?: { why: string; at: string; data: SoakData | null };
}

/** Whether the container itself was among those that were stopped for the backup. */
export function ownStopOf({ stopped, stoppedAt, oldContainerId }: Journal): OwnStop | null {
  return stopped.some(({ id }) => id === oldContainerId) ? { at: stoppedAt ?? null } : null;
}

/**
 * Whether the old version was replaced, or may have been: the steps `recreate` and `rollout` first prepare that, and fail at the stage
 * `preparing` with the old version untouched. `stage`: of the journal; null: there is none.
 */
export function hasReplaced({ steps }: Pick<Update, 'steps'>, stage: Stage | RolloutStage | null): boolean {
  return stage !== 'preparing' && steps.some(({ name }) => name === 'recreate' || name === 'rollout');
}

/**
 * The journal of a new run, with the old container as inspected at its start, and the failure of its health check before
 * anything was done (null: healthy as far as known). Throws `invalid_reference`.
 */
export function firstJournal(
  { container, to }: Update,
  old: ContainerInspect,
  unhealthyBefore: HealthFailure | null,
): Journal {
  return {
    stage: 'preparing',
    attempt: 1,
    oldContainerId: old.Id,
    containerName: container ?? '',
    oldImageId: old.Image,
    ran: old.State.Running,
    snapshot: old,
    oldReference: old.Config.Image,
    newReference: newReferenceFor(old.Config.Image, to.reference),
    tagMoved: false,
    newReferenceWas: null,
    newImageId: null,
    newContainerId: null,
    oldStopped: false,
    dependents: [],
    ...(unhealthyBefore === null ? {} : { unhealthyBefore }),
    stopped: [],
    released: false,
    restore: null,
  };
}

/** The data directory of a new PostgreSQL major after a rollback: what clients have written since the load is only there. */
export interface NewData {
  from: number;
  to: number;
  container: string;
  /** As the container sees it. */
  path: string;
}

/** Of the new data directory while it is not in its place, below the old one. */
export function stagedFolder({ mark, directory }: Pick<MajorJournal, 'mark' | 'directory'>): string {
  return `${artifactFolder('restore', mark, 1)}/${posix.basename(directory)}`;
}

/** Null: no client has reached the new server, or its data directory is in its place. */
export function newDataOf({ major, containerName }: Pick<Journal, 'major' | 'containerName'>): NewData | null {
  if (major?.loaded !== true || major.moved) return null;
  const { from, to, directory } = major;
  return { from, to, container: containerName, path: `${directory}/${stagedFolder(major)}` };
}

export function newDataSentence({ container, from, to, path }: NewData): string {
  return `${container} has the data of PostgreSQL ${from} from before the update. Data written after the load into PostgreSQL ${to} is missing; it is only in the data directory of PostgreSQL ${to}: ${path}.`;
}
