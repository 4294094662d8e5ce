import type { Failure } from './errors';
import type { Source } from './event';
import type { Illness } from './illness';
import type { Policy } from './labels/container-labels';
import type { RestoreJournal } from './restore';
import type { Stopped } from './well';

/** One update: one container, one target digest, from the decision to its end. Times are ISO 8601 in UTC. */
export interface Update {
  id: string;
  /** Name without the leading slash; null only for an ignored event that concerned no container. */
  container: string | null;
  project: string | null;
  service: string | null;
  policy: Policy | null;
  status: UpdateStatus;
  /** The decision, and later the verdict, in words for a person. */
  reason: string;
  source: Source;
  from: ImageAt | null;
  to: ImageAt;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  approval: Approval | null;
  backupId: string | null;
  steps: Step[];
  error: Failure | null;
  /** What the operator must still do after it, such as the line to change in the compose file; null: nothing. */
  followUp: string | null;
}

/** An image reference as the operator writes it, with the digest of its tag in the registry (`sha256:…`), null when unknown. */
export interface ImageAt {
  reference: string;
  digest: string | null;
}

/** Of an update that a person is asked about. */
export interface Approval {
  status: 'waiting' | 'approved' | 'declined' | 'expired' | 'superseded';
  expiresAt: string;
  decidedAt: string | null;
}

export const UPDATE_STATUSES = [
  'awaiting_approval',
  'queued',
  'running',
  'succeeded',
  'failed',
  'rolled_back',
  'rollback_failed',
  'declined',
  'expired',
  'superseded',
  'ignored',
] as const;
export type UpdateStatus = (typeof UPDATE_STATUSES)[number];

/** The ends that a run of the workflow can reach. */
export type Verdict = Extract<UpdateStatus, 'succeeded' | 'failed' | 'rolled_back' | 'rollback_failed'>;

const OPEN_STATUSES: readonly UpdateStatus[] = ['awaiting_approval', 'queued', 'running'];

export function isOpen(status: UpdateStatus): boolean {
  return OPEN_STATUSES.includes(status);
}

/** In the order of the workflow (contract, section 3). */
export const STEP_NAMES = [
  'backup',
  'pull',
  'preflight',
  'recreate',
  'health_check',
  'cleanup',
  'rollback',
  'rollback_health_check',
  'restore',
  'restore_health_check',
] as const;
export type StepName = (typeof STEP_NAMES)[number];

/**
 * When its users may have begun to miss it: for a container that was stopped for its backup, at the begin of that; else
 * when it was replaced. Null: it was neither.
 */
export function awaySince({ steps }: Pick<Update, 'steps'>, backup: { quiesced: boolean } | null): string | null {
  const first = backup?.quiesced === true ? 'backup' : 'recreate';
  return steps.find(({ name }) => name === first)?.startedAt ?? null;
}

export interface Step {
  name: StepName;
  status: 'running' | 'succeeded' | 'failed' | 'skipped';
  startedAt: string;
  finishedAt: string | null;
  detail: string | null;
}

/**
 * How far a run has come, written before each act, so that a run can be resumed after a crash from its stage:
 * every act is addressed by id and may be done twice.
 * `preparing`: the old container is untouched, and serves or was stopped for the backup. `swapping`: names are being
 * exchanged, the old one stopped (not in a handover), the new one started. `checking`: the new one runs, its health is
 * being asked (in a handover first beside the old one, which then drains). `settled`: it is healthy, the old one is to be
 * removed. `rolling_back`: the old one is to serve again; the update's error says why. `restoring`: the old one does
 * not serve with the data as it is now, so that of this update's backup takes its place.
 */
export type Stage = 'preparing' | 'swapping' | 'checking' | 'settled' | 'rolling_back' | 'restoring';

export interface Journal {
  stage: Stage;
  /** How often preparing was begun by a new process: a run that stops the service again and again is given up. */
  attempt: number;
  /** The engine went away, and this process saw it: to begin again then is no further attempt. */
  engineLost?: boolean;
  /** The untouched old container: addressed by id, whatever its name is by now. */
  oldContainerId: string;
  containerName: string;
  oldImageId: string;
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
  /** What is being written into the compose project for a new tag, in words; there once that begins. */
  tagNote?: string;
  /** Names of containers that depend on this one and were well before it. */
  dependents: string[];
  /** It failed its own health check before anything was done; not there: it passed. */
  illBefore?: Illness;
  /** Who was stopped for the backup, in the order in which they are started again; written down before it is done. */
  stopped: Stopped[];
  /** Whether they run again beside the new container: what they write from then on is in no backup. */
  released: boolean;
  /** How far the restore after the rollback has come; null: there is none. */
  restore: RestoreJournal | null;
}
