import { leftBy, type RestoreJournal } from '../backups/restore';
import { changeSentences } from '../data/compare-fingerprints';
import type { DataChange, DataFingerprint } from '../data/data-fingerprint';
import { type Failure, firstLineOf } from '../errors';
import type { HealthFailure } from '../health/health-failure';

/**
 * How far the update of a service has come, written before each act. The engine goes on without diun-pilot, so a run that
 * continues reads first what has become of it. `preparing`: nothing was asked of Swarm. `rolling_out`: the new image was, or is
 * about to be. `checking`: Swarm says that it is done. `rolling_back`: the service is to run its old image again. `restoring`:
 * the data of this update's backup takes its place before the old image runs on it. `settled`: the new one is healthy.
 */
export type RolloutStage = 'preparing' | 'rolling_out' | 'checking' | 'rolling_back' | 'restoring' | 'settled';

/** A service that is scaled to 0 for the backup, and is scaled back to as many replicas as it had. */
export interface Scaled {
  serviceId: string;
  name: string;
  replicas: number;
  /** Whether it was healthy before, so that it must be again. */
  well: boolean;
  /** It was scaled back: 0 replicas are what another client wants from then on. */
  back?: boolean;
  /** Name of the container through which its files are read meanwhile; left out: it has none in the set. */
  reader?: string;
}

/** A service that writes to the set and was at 0 replicas before its backup. */
export interface Idle {
  serviceId: string;
  name: string;
  /** Of its spec by then: another one means that it was changed since. */
  version: number;
}

/** What a run must know to go on, whatever happened in between. */
export interface Rollout {
  stage: RolloutStage;
  serviceId: string;
  name: string;
  /** As the spec names them: with the digest, where there was one. */
  oldImage: string;
  newImage: string;
  oldReference: string;
  newReference: string;
  /** How it failed its health check before anything was done; left out: it passed. */
  unhealthyBefore?: HealthFailure;
  /** The `UpdateStatus` before the new image was requested, as JSON: while it is the same, nothing was. */
  statusBefore?: string;
  /** IDs of the tasks that were over when the new image was requested: Swarm keeps them, and they say nothing of this update. */
  overBefore?: string[];
  /** What was seen when the new image was healthy, as text. */
  seen?: string;
  /** Of the new image, once this node has it. */
  newImageId?: string;
  /** What speaks for the new image, as text: seen before the service was scaled to 0, as it cannot be afterwards. */
  lookedAhead?: string;
  /** How often preparing was started by a new process; left out: once. */
  attempt?: number;
  /** The engine went away, and this process saw it: a new start then does not count as an attempt. */
  engineLost?: boolean;
  /** In the order in which they are scaled back; written before they are scaled to 0. */
  scaled?: Scaled[];
  /** When that began, ISO 8601; left out: it did not, or an older version did not note it. */
  scaledAt?: string;
  /** Writers that were at 0 replicas when the others were scaled to 0. */
  idle?: Idle[];
  /** Whether they may write again, or one was scaled up externally: data written from then on is in no backup. */
  released?: boolean;
  /** What the update can change in the databases of its set, read after the backup; left out: it can change none. */
  fingerprint?: DataFingerprint;
  /** What differed from it when the new version was healthy, or before the old one ran again. */
  dataChange?: DataChange & { seenIn: RolloutStage };
  /** Decided in the rollback: the new version changed the data, and it is restored before anything runs on it. */
  dataGoesBack?: boolean;
  /** How far that restore has come. */
  restore?: RestoreJournal;
}

/** The entry of the updated service itself, if it was scaled to 0 for its backup. */
export function ownScale({ serviceId, scaled = [] }: Rollout): Scaled | null {
  return scaled.find((each) => each.serviceId === serviceId) ?? null;
}

/** Those of the other services of its set. */
export function otherScales({ serviceId, scaled = [] }: Rollout): Scaled[] {
  return scaled.filter((each) => each.serviceId !== serviceId);
}

/** The verdict as sentences for a person: of page, mail, log and API alike. Pure. */
export function reasonOfRollout(
  rollout: Rollout,
  verdict: 'succeeded' | 'failed' | 'rolled_back' | 'rollback_failed',
  error: Failure | null,
): string {
  const { name, oldReference, newReference, seen } = rollout;
  if (error?.code === 'changed_meanwhile' && verdict !== 'rolled_back') return changedReason(rollout, verdict, error);
  switch (verdict) {
    case 'succeeded':
      return `${name} runs ${newReference} and is healthy${seen === undefined ? '' : `: ${seen}`}.`;
    case 'failed':
      return `Nothing was changed: ${name} still runs ${oldReference} as before.${whoWasScaled(rollout)}`;
    case 'rolled_back':
      return `${name} was rolled back${restoredText(rollout)}: its tasks run ${oldReference} again and are healthy.${changeText(rollout)}`;
    case 'rollback_failed':
      return failedReason(rollout, error);
  }
}

function changedReason(rollout: Rollout, verdict: 'succeeded' | 'failed' | 'rollback_failed', error: Failure): string {
  const untouched =
    verdict === 'failed'
      ? `diun-pilot changed nothing.${whoWasScaled(rollout)}`
      : `The update could be neither finished nor undone: check whether ${rollout.name} works.${changeText(rollout)}`;
  return `${firstLineOf(error.message)} ${untouched}`;
}

function failedReason(rollout: Rollout, error: Failure | null): string {
  const { name, oldReference, stage } = rollout;
  if (stage === 'preparing')
    return `The image of ${name} was not changed, but not every service that was scaled to 0 for the backup is healthy again: manual action required.${whoWasScaled(rollout)}`;
  if (stage === 'settled')
    return `${name} runs ${rollout.newReference} and is healthy, but another service that was scaled to 0 for the backup is not: manual action required.${changeText(rollout)}`;
  if (error?.code === 'unhealthy_as_before')
    return `${name} was rolled back: its tasks run ${oldReference} again and fail their health check, as before the update. Manual action required.${changeText(rollout)}`;
  if (error?.code === 'data_changed' && leftBy(rollout.restore ?? null) === 'restored')
    return `${name} was rolled back: its tasks run ${oldReference} again and are healthy. ${firstLineOf(error.message)}`;
  if (error?.code === 'data_changed')
    return `${name} was rolled back, but its data was not restored: its tasks run ${oldReference} again and are healthy, on data that the new version changed.${changeText(rollout)} Decide whether to restore the backup of this update.`;
  if (error?.code === 'other_unhealthy')
    return `${name} was rolled back and is healthy, but another service that was scaled to 0 for the backup is not: manual action required.${changeText(rollout)}`;
  return `The rollback of ${name} to ${oldReference} failed: manual action required.${changeText(rollout)}`;
}

function whoWasScaled({ scaled = [] }: Rollout): string {
  if (scaled.length === 0) return '';
  return ` Scaled to 0 for the backup and back: ${scaled.map(({ name }) => name).join(', ')}.`;
}

function restoredText({ restore }: Rollout): string {
  return restore === undefined ? '' : ', and its data was restored from the backup';
}

function changeText({ dataChange, restore }: Rollout): string {
  return changeSentences(dataChange, restore === undefined ? 'changed' : 'had changed');
}
