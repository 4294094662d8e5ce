import type { BackupRecord } from '../../domain/backups/backup';
import type { DataChange } from '../../domain/data/data-fingerprint';
import type { NewData } from '../../domain/data/new-data';
import type { Journal } from '../../domain/journal';
import type { OwnStop, StepName, Update } from '../../domain/update';
import { paragraph, type Block, type Tone } from '../letter/letter';
import { nameOf } from './passages/passages';

/** The steps of the way back. */
export const UNDOING: readonly StepName[] = ['rollback', 'rollback_health_check', 'restore', 'restore_health_check'];

/** The beginning of a mail about an update that failed. */
export interface FailureText {
  subject: string;
  tone: Tone;
  word: string;
  heading: string;
  opening: Block[];
  labels: { from: string; to: string };
}

export type TakenBackup = Pick<BackupRecord, 'id' | 'updateId' | 'status' | 'url'> | null;

/** Facts about the verdict that the update's row does not have (updates/reason-of-end). */
export interface Seen {
  /** The old container was never stopped: the handover failed next to it. */
  servedOn?: boolean;
  /** Whether the old version was replaced, or may have been; left out: as far as the steps say. */
  replaced?: boolean;
  /** What the new version changed in the databases of its set; null when nothing is known. */
  dataChange?: DataChange | null;
  newData?: NewData | null;
  /** Names of the containers that were stopped, or services that were scaled to 0, for the backup. */
  stopped?: readonly string[];
  /** Whether the container itself was one of them. */
  ownStop?: OwnStop | null;
  /** Names of the services that stay at 0 replicas, since their data is only partly restored. */
  leftAtZero?: readonly string[];
  /** It failed in its soak, and the operator chose the data from before the update. */
  backupWasChosen?: boolean;
  /** After an external change, whether a container could be started; null: one ran all the time. */
  broughtBack?: Journal['broughtBack'] | null;
}

/** What was to be updated had been removed. */
export function isGone({ error }: Pick<Update, 'error'>): boolean {
  return error?.code === 'container_not_found' || error?.code === 'service_not_found';
}

export function noLongerThere(update: Update): FailureText {
  const name = nameOf(update);
  return {
    subject: `update aborted, the ${update.kind} no longer exists – please check`,
    tone: 'attention',
    word: 'Failed, nothing changed',
    heading: `The update of ${name} failed before anything was changed`,
    opening: [
      paragraph(
        `The ${update.kind} ${name} no longer exists, so the update was aborted. diun-pilot did not remove it.`,
      ),
    ],
    labels: { from: 'Previous version', to: 'Planned version' },
  };
}
